import LacunaEngine
import LacunaTestSupport
import Testing

@Suite("Reading config.json")
struct ModelConfigParsingTests {
  /// The tiny checkpoint's configuration with members replaced, or left out where the text is nil.
  private func parse(_ changes: [String: String?], generation: String? = nil) throws -> ModelConfig {
    var checkpoint = TinyCheckpoint()
    for (name, text) in changes { checkpoint.config[name] = text }
    return try ModelConfig(
      config: try JSONFields(Array(checkpoint.configText.utf8), file: "config.json"),
      generation: try generation.map { try JSONFields(Array($0.utf8), file: "generation_config.json") })
  }

  @Test("what is absent gets the defaults of transformers")
  func defaults() throws {
    let config = try parse([
      "num_key_value_heads": nil, "max_position_embeddings": nil, "rms_norm_eps": nil, "rope_theta": nil,
      "tie_word_embeddings": nil, "bos_token_id": nil, "eos_token_id": nil, "hidden_act": nil, "torch_dtype": nil,
    ])
    #expect(
      config
        == ModelConfig(
          vocabSize: 12, hiddenSize: 8, intermediateSize: 6, numHiddenLayers: 1, numAttentionHeads: 2,
          numKeyValueHeads: 2, headDim: 4, maxPositionEmbeddings: 2048, rmsNormEps: 1e-6))
  }

  @Test("head_dim may differ from hidden_size / heads, and biases are read")
  func headDim() throws {
    let config = try parse(["head_dim": "6", "attention_bias": "true", "mlp_bias": "true"])
    #expect(config.headDim == 6 && config.attentionBias && config.mlpBias)
  }

  @Test("end-of-text ids are one, several or none, from both files")
  func eos() throws {
    #expect(try parse(["eos_token_id": "3"], generation: #"{"eos_token_id": [4, 3]}"#).eosTokenIDs == [3, 4])
    #expect(try parse(["eos_token_id": "[5, 6, 5]"]).eosTokenIDs == [5, 6])
    #expect(try parse(["eos_token_id": "null", "bos_token_id": "null"]).eosTokenIDs == [])
    #expect(try parse(["bos_token_id": "null"]).bosTokenID == nil)
  }

  @Test("sampling is generation_config's, and transformers' where it says nothing")
  func sampling() throws {
    // GenerationConfig of transformers: temperature 1, top_k 50, top_p 1.
    var expected = SamplingDefaults()
    #expect((expected.temperature, expected.topK, expected.topP) == (1, 50, 1))
    #expect(try parse([:]).sampling == expected)
    (expected.temperature, expected.topP) = (0.6, 0.9)
    let read = try parse([:], generation: #"{"do_sample":true,"temperature":0.6,"top_p":0.9,"top_k":null}"#)
    #expect(read.sampling == expected)
    let error = #expect(throws: LacunaError.self) { try parse([:], generation: #"{"top_p":1.5}"#) }
    #expect(error?.message.contains("top_p: expected a number from 0.0 to 1.0, found 1.5") == true)
  }

  @Test("dynamic scaling stretches the context no further than a configuration may")
  func stretchedContext() throws {
    let scaling = [
      "rope_parameters": #"{"rope_type":"dynamic","factor":1024}"#, "max_position_embeddings": "\(1 << 24)",
    ]
    #expect(try parse(scaling).contextLength == 1 << 24)
  }

  @Test(
    "RoPE scaling is read in both spellings",
    arguments: [
      (["rope_parameters": #"{"rope_type":"default","rope_theta":10000}"#], RoPEScaling.none),
      (["rope_scaling": #"{"type":"linear","factor":2}"#], .linear(factor: 2)),
      (["rope_scaling": #"{"rope_type":"linear","factor":2.5}"#], .linear(factor: 2.5)),
      (
        ["rope_parameters": #"{"rope_type":"dynamic","factor":4.0}"#],
        .dynamic(factor: 4, originalMaxPositionEmbeddings: 64)
      ),
      (
        [
          "rope_parameters":
            #"{"rope_type":"llama3","factor":8.0,"low_freq_factor":1,"high_freq_factor":4,"original_max_position_embeddings":512}"#
        ], .llama3(factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositionEmbeddings: 512)
      ),
    ])
  func rope(change: [String: String], scaling: RoPEScaling) throws {
    #expect(try parse(change.mapValues { $0 }).ropeScaling == scaling)
  }

  @Test("rope_theta is taken from wherever it stands")
  func theta() throws {
    let inside = #"{"rope_type":"default","rope_theta":500000}"#
    #expect(try parse(["rope_theta": nil, "rope_parameters": inside]).ropeTheta == 500_000)
    #expect(try parse(["rope_theta": "1e6"]).ropeTheta == 1e6)
    #expect(throws: LacunaError.self) { _ = try parse(["rope_theta": "1e6", "rope_parameters": inside]) }
  }

  @Test("a Mistral without a sliding window is a Llama, any other is refused")
  func mistral() throws {
    let mistral = ["model_type": "\"mistral\"", "architectures": "[\"MistralForCausalLM\"]"]
    _ = try parse(mistral.merging(["sliding_window": "null"]) { $1 }.mapValues { $0 })
    for window in [["sliding_window": "4096"], [:]] {
      #expect(throws: LacunaError.self) { _ = try parse(mistral.merging(window) { $1 }.mapValues { $0 }) }
    }
  }

  @Test(
    "what we cannot run or believe is refused by name",
    arguments: [
      ("model_type", "\"qwen2\""), ("model_type", "5"), ("architectures", "[\"LlamaForSequenceClassification\"]"),
      ("hidden_act", "\"gelu\""), ("pretraining_tp", "2"), ("partial_rotary_factor", "0.5"),
      ("torch_dtype", "\"int8\""),
      ("vocab_size", "0"), ("vocab_size", "-1"), ("vocab_size", "1e9"), ("vocab_size", "12.0"),
      ("vocab_size", "\"12\""),
      ("vocab_size", "9223372036854775807"), ("vocab_size", "1e400"), ("vocab_size", "null"),
      ("hidden_size", "1000000000"), ("hidden_size", "9"), ("intermediate_size", "0"), ("num_hidden_layers", "100000"),
      ("num_attention_heads", "0"), ("num_key_value_heads", "3"), ("num_key_value_heads", "4"), ("head_dim", "3"),
      ("head_dim", "0"), ("head_dim", "true"), ("max_position_embeddings", "0"), ("rms_norm_eps", "0"),
      ("rms_norm_eps", "-1e-5"), ("rms_norm_eps", "\"x\""), ("rope_theta", "0"), ("rope_theta", "[]"),
      ("tie_word_embeddings", "1"), ("attention_bias", "\"no\""), ("bos_token_id", "12"), ("bos_token_id", "[1]"),
      ("eos_token_id", "-1"), ("eos_token_id", "[2, 12]"), ("eos_token_id", "[[2]]"), ("eos_token_id", "2.5"),
      ("rope_scaling", "3"), ("rope_scaling", "{}"), ("rope_scaling", #"{"rope_type":"yarn","factor":2}"#),
      ("rope_scaling", #"{"rope_type":"linear"}"#), ("rope_scaling", #"{"rope_type":"linear","factor":0}"#),
      ("rope_scaling", #"{"rope_type":"linear","factor":1e300}"#),
      ("rope_scaling", #"{"rope_type":"linear","type":"dynamic","factor":2}"#),
      ("rope_scaling", #"{"rope_type":"default","mrope_section":[1]}"#),
      (
        "rope_scaling",
        #"{"rope_type":"llama3","factor":8,"low_freq_factor":4,"high_freq_factor":4,"original_max_position_embeddings":5}"#
      ),
      ("rope_scaling", #"{"rope_type":"llama3","factor":8,"low_freq_factor":1,"high_freq_factor":4}"#),
      ("rope_scaling", #"{"rope_type":"dynamic","factor":2,"original_max_position_embeddings":5}"#),
    ])
  func refusals(field: String, text: String) throws {
    let error = try #require(throws: LacunaError.self) { _ = try parse([field: text]) }
    // A number beyond Double is already no JSON for us, and names its byte instead of its field.
    #expect(error.message.contains("config.json"), "\(error)")
    if !text.contains("e400") { #expect(error.message.contains(field) || error.message.contains("num_"), "\(error)") }
  }
}
