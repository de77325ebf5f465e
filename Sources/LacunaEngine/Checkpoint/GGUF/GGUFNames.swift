/// llama.cpp's names of the Llama family's tensors, and the Hugging Face names that they stand for.
package enum GGUFNames {
  package enum Meaning: Equatable {
    /// A tensor of the model, by its Hugging Face name.
    case tensor(String)
    /// Part of the configuration, or a table that the engine computes itself.
    case ignored
    case unknown
  }

  package static func meaning(of name: String) -> Meaning {
    if let whole = whole[name] { return .tensor(whole) }
    if name == "rope_freqs.weight" { return .ignored }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0] == "blk", let layer = Int(parts[1]), layer >= 0, "\(layer)" == parts[1],
      parts[3] == "weight" || parts[3] == "bias"
    else { return .unknown }
    // Inverse frequencies that early converters wrote out.
    if parts[2] == "attn_rot_embd" { return .ignored }
    guard let module = modules[String(parts[2])] else { return .unknown }
    return .tensor("model.layers.\(layer).\(module).\(parts[3])")
  }

  private static let whole = [
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
  ]

  private static let modules = [
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
  ]
}
