/// A Llama-family configuration, named as Hugging Face names its fields (hidden_size is `hiddenSize`).
public struct ModelConfig: Sendable, Equatable {
  public var vocabSize: Int
  public var hiddenSize: Int
  public var intermediateSize: Int
  public var numHiddenLayers: Int
  public var numAttentionHeads: Int
  public var numKeyValueHeads: Int
  public var headDim: Int
  public var maxPositionEmbeddings: Int
  public var rmsNormEps: Float
  public var ropeTheta: Double
  public var ropeScaling: RoPEScaling
  public var tieWordEmbeddings: Bool
  public var attentionBias: Bool
  public var mlpBias: Bool
  public var bosTokenID: TokenID?
  /// Every id that ends a generation: config.json's and generation_config.json's together.
  public var eosTokenIDs: [TokenID]
  public var sampling = SamplingDefaults()

  /// The most positions that the model is good for; dynamic scaling goes beyond those that it was trained on.
  public var contextLength: Int {
    guard case .dynamic(let factor, let original) = ropeScaling else { return maxPositionEmbeddings }
    return max(maxPositionEmbeddings, Int(min(factor * Double(original), Double(Limit.positions.upperBound))))
  }

  public init(
    vocabSize: Int, hiddenSize: Int, intermediateSize: Int, numHiddenLayers: Int, numAttentionHeads: Int,
    numKeyValueHeads: Int, headDim: Int, maxPositionEmbeddings: Int, rmsNormEps: Float = 1e-5,
    ropeTheta: Double = 10_000, ropeScaling: RoPEScaling = .none, tieWordEmbeddings: Bool = false,
    attentionBias: Bool = false, mlpBias: Bool = false, bosTokenID: TokenID? = 1, eosTokenIDs: [TokenID] = [2]
  ) {
    self.vocabSize = vocabSize
    self.hiddenSize = hiddenSize
    self.intermediateSize = intermediateSize
    self.numHiddenLayers = numHiddenLayers
    self.numAttentionHeads = numAttentionHeads
    self.numKeyValueHeads = numKeyValueHeads
    self.headDim = headDim
    self.maxPositionEmbeddings = maxPositionEmbeddings
    self.rmsNormEps = rmsNormEps
    self.ropeTheta = ropeTheta
    self.ropeScaling = ropeScaling
    self.tieWordEmbeddings = tieWordEmbeddings
    self.attentionBias = attentionBias
    self.mlpBias = mlpBias
    self.bosTokenID = bosTokenID
    self.eosTokenIDs = eosTokenIDs
  }
}

/// How the checkpoint wants to be sampled from: what its generation_config.json says, and transformers' own defaults where it
/// says nothing.
public struct SamplingDefaults: Sendable, Equatable {
  public var temperature = 1.0
  /// 0 for all tokens.
  public var topK = 50
  public var topP = 1.0

  public init() {}
}

/// How RoPE frequencies are stretched beyond the trained context; Hugging Face's `rope_type`.
public enum RoPEScaling: Sendable, Equatable {
  case none
  /// Positions divided by `factor`.
  case linear(factor: Double)
  /// Dynamic NTK: the base grows once a sequence passes the trained length.
  case dynamic(factor: Double, originalMaxPositionEmbeddings: Int)
  /// Llama 3.1's piecewise stretching by wavelength.
  case llama3(
    factor: Double, lowFreqFactor: Double, highFreqFactor: Double, originalMaxPositionEmbeddings: Int)
}

/// A token's number in its model's vocabulary.
public typealias TokenID = Int32
