/// A tensor that a Llama of some configuration consists of.
package struct LlamaTensor: Sendable {
  package enum Role: Sendable {
    case embedding
    /// A projection: what quantization schemes call a Linear.
    case linear
    case head
    /// A norm's weight or a projection's bias.
    case vector
  }

  package let name: String
  package let shape: [Int]
  package let role: Role
}

extension ModelConfig {
  /// All tensors by their Hugging Face names, in the order of a forward pass; no lm_head where it is tied.
  package var llamaTensors: [LlamaTensor] {
    var all = [LlamaTensor(name: "model.embed_tokens.weight", shape: [vocabSize, hiddenSize], role: .embedding)]
    for layer in 0..<numHiddenLayers {
      let prefix = "model.layers.\(layer)."
      func linear(_ name: String, _ rows: Int, _ cols: Int, bias: Bool) {
        all.append(LlamaTensor(name: "\(prefix)\(name).weight", shape: [rows, cols], role: .linear))
        if bias { all.append(LlamaTensor(name: "\(prefix)\(name).bias", shape: [rows], role: .vector)) }
      }
      func norm(_ name: String) {
        all.append(LlamaTensor(name: "\(prefix)\(name).weight", shape: [hiddenSize], role: .vector))
      }
      let (queries, keys) = (numAttentionHeads * headDim, numKeyValueHeads * headDim)
      norm("input_layernorm")
      linear("self_attn.q_proj", queries, hiddenSize, bias: attentionBias)
      linear("self_attn.k_proj", keys, hiddenSize, bias: attentionBias)
      linear("self_attn.v_proj", keys, hiddenSize, bias: attentionBias)
      linear("self_attn.o_proj", hiddenSize, queries, bias: attentionBias)
      norm("post_attention_layernorm")
      linear("mlp.gate_proj", intermediateSize, hiddenSize, bias: mlpBias)
      linear("mlp.up_proj", intermediateSize, hiddenSize, bias: mlpBias)
      linear("mlp.down_proj", hiddenSize, intermediateSize, bias: mlpBias)
    }
    all.append(LlamaTensor(name: "model.norm.weight", shape: [hiddenSize], role: .vector))
    if !tieWordEmbeddings {
      all.append(LlamaTensor(name: "lm_head.weight", shape: [vocabSize, hiddenSize], role: .head))
    }
    return all
  }
}
