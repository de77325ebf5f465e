// swift-tools-version: 6.2
// The manifest's edges are the layer picture of docs/architecture.md; scripts/check-layers compares the two.
import PackageDescription

// CI makes our own warnings errors; a newer compiler's new warning must not break a user's build.
let isStrict = Context.environment["LACUNA_STRICT"] != nil

let swift: [SwiftSetting] =
  [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
  ] + (isStrict ? [.treatAllWarnings(as: .error)] : [])
let c: [CSetting] = isStrict ? [.treatAllWarnings(as: .error)] : []

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")

let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")

let package = Package(
  name: "lacuna",
  products: [
    .library(name: "LacunaEngine", targets: ["LacunaEngine"]),
    .library(name: "LacunaScript", targets: ["LacunaScript"]),
    .library(name: "LacunaEval", targets: ["LacunaEval"]),
    .executable(name: "lacuna", targets: ["lacuna"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: [
    // L0
    .target(name: "CKernels", cSettings: c),
    .target(name: "CProbes", cSettings: c),
    .systemLibrary(name: "CLua", pkgConfig: "lua5.4", providers: [.apt(["liblua5.4-dev"]), .brew(["lua@5.4"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    // L1
    .target(name: "LacunaEngine", dependencies: ["CKernels", "CZlib", logging, crypto], swiftSettings: swift),
    .target(name: "CLuaBridge", dependencies: ["CLua", "CKernels"], cSettings: c),
    // L2
    .target(
      name: "LacunaScript", dependencies: ["LacunaEngine", "CLuaBridge", crypto, logging], swiftSettings: swift),
    // L3
    .target(
      name: "LacunaEval", dependencies: ["LacunaEngine", "LacunaScript", crypto, grdb],
      resources: [.embedInCode("Report/Assets/report.css"), .embedInCode("Report/Assets/report.js")],
      swiftSettings: swift),
    // L4
    .executableTarget(
      name: "lacuna", dependencies: ["CProbes", "LacunaEngine", "LacunaScript", "LacunaEval", argumentParser, logging],
      swiftSettings: swift),
    // Tests: one target for each source target.
    .target(
      name: "LacunaTestSupport", dependencies: ["LacunaEngine"], path: "Tests/LacunaTestSupport",
      swiftSettings: swift),
    .testTarget(name: "CKernelsTests", dependencies: ["CKernels", "LacunaTestSupport"], swiftSettings: swift),
    .testTarget(
      name: "LacunaEngineTests", dependencies: ["LacunaEngine", "LacunaTestSupport"], swiftSettings: swift),
    .testTarget(
      name: "LacunaScriptTests", dependencies: ["LacunaScript", "LacunaTestSupport", "CLuaBridge"],
      swiftSettings: swift),
    .testTarget(name: "LacunaEvalTests", dependencies: ["LacunaEval", "LacunaTestSupport"], swiftSettings: swift),
    .testTarget(name: "LacunaCommandTests", dependencies: ["LacunaTestSupport"], swiftSettings: swift),
  ]
)
