public import LacunaEngine

/// The files of a new plugin: small, working, and passing its own check and test.
public struct PluginScaffold: Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    case sampler, decoder, hooks, pipeline, tool
  }

  public let name: String
  public let kind: Kind
  /// The folder with the stubs that editors complete from; nil if there is none.
  public let meta: String?

  public init(name: String, kind: Kind, meta: String?) {
    self.name = name
    self.kind = kind
    self.meta = meta
  }

  private var identifier: String { name.split(separator: "-").joined(separator: "_") }

  /// Paths below the plugin's folder, and what they hold.
  public var files: [(path: String, text: String)] {
    [
      ("plugin.json", manifest), ("init.lua", entry), ("test.lua", test), ("README.md", page),
      (".luarc.json", editor),
    ]
  }

  private var manifest: String {
    let provides = kind == .hooks ? "hooks" : "\(kind.rawValue):\(identifier)"
    let capabilities =
      switch kind {
      case .sampler, .hooks, .tool: ""
      case .decoder: "\"model.logits\""
      case .pipeline: "\"model.generate\""
      }
    return """
      {
        "name": "\(name)",
        "version": "0.1.0",
        "api": \(LacunaScript.apiLevel),
        "description": "What it is for, in a line",
        "license": "MIT",
        "provides": ["\(provides)"],
        "capabilities": [\(capabilities)]
      }

      """
  }

  private var page: String {
    let use =
      switch kind {
      case .sampler: "lacuna generate --prompt \"Once\" --sampler \(name)"
      case .decoder: "lacuna generate --prompt \"Once\" --decoder \(name)"
      case .hooks: "lacuna generate --prompt \"Once\" --hooks \(name)"
      case .pipeline: "lacuna run \(name) --question \"Who?\""
      case .tool: "lacuna plugin info \(name)"
      }
    return """
      # \(name)

      What it does, and where the idea comes from.

          \(use) --plugin .

      """
  }

  private var editor: String {
    let library = meta.map { JSONCodec.line(.string($0)) } ?? ""
    return """
      {
        "runtime.version": "Lua 5.4",
        "workspace.library": [\(library)],
        "workspace.checkThirdParty": false
      }

      """
  }

  private var entry: String {
    let body =
      switch kind {
      case .sampler:
        """
          samplers = {
            \(identifier) = {
              description = "keeps tokens at least p times as probable as the best one",
              params = { p = { type = "number", default = 0.05, min = 0, max = 1, description = "the share; 0 is off" } },
              argmax_invariant = true,      -- the most probable token stays the most probable one
              ---@param logits lacuna.Vec
              apply = function(logits, params)
                if params.p > 0 then logits:mask_below(logits:max() + math.log(params.p)) end
              end,
            },
          },
        """
      case .decoder:
        """
          decoders = {
            \(identifier) = {
              description = "takes the most probable token each time",
              params = { max_tokens = { type = "integer", default = 64, min = 1 } },
              ---@param session lacuna.Session
              ---@param ctx lacuna.PluginContext
              run = function(session, params, ctx)
                local finish = "length"
                for _ = 1, params.max_tokens do
                  local id = session:logits():argmax()
                  if ctx.model:is_eog(id) then finish = "eos" break end
                  session:push(id)
                end
                return session, { finish = finish }
              end,
            },
          },
        """
      case .hooks:
        """
          hooks = {
            ---@param ctx lacuna.HookContext
            on_token = function(_, ctx)
              ctx.state.count = (ctx.state.count or 0) + 1      -- rewinds with the tokens
            end,
            on_finish = function(_, ctx) return { drawn = ctx.state.count } end,
          },
        """
      case .pipeline:
        """
          pipelines = {
            \(identifier) = {
              description = "asks a question",
              input = {
                question = { type = "string" },
                max_tokens = { type = "integer", default = 64, min = 1 },
              },
              output = { answer = { type = "string" } },
              ---@param ctx lacuna.PluginContext
              run = function(input, ctx)
                local session <close> = ctx.model:session { text = input.question }
                return { answer = session:generate({ max_tokens = input.max_tokens, sampler = "greedy" }).text }
              end,
            },
          },
        """
      case .tool:
        """
          tools = {
            \(identifier) = {
              description = "counts words",
              params = { text = { type = "string" } },
              run = function(args) return select(2, args.text:gsub("%S+", "")) end,
            },
          },
        """
      }
    return "local lacuna <const> = require \"lacuna\"\n\nreturn lacuna.plugin {\n\(body)\n}\n"
  }

  private var test: String {
    let model =
      "  local model = t.model { vocab = { \"a\", \"b\" }, next = { a = { b = 5 }, b = { [\"</s>\"] = 5 } } }\n"
    let body =
      switch kind {
      case .sampler:
        """
        ---@param t lacuna.test
        ["drops what is much less probable than the best"] = function(t)
          local probs = t.filter({ "\(name)/\(identifier)", p = 0.5 }, { 2.0, 1.9, 0.0 })
          t.equal(probs[3], 0)
          t.ok(probs[1] > probs[2])
        end,
        """
      case .decoder:
        """
        ---@param t lacuna.test
        ["goes on until the model ends its answer"] = function(t)
        \(model)  local session = model:session { text = "a" }
          local result = session:generate { decoder = "\(name)" }
          t.equal(result.text, "b")
          t.equal(result.finish, "eos")
        end,
        """
      case .hooks:
        """
        ---@param t lacuna.test
        ["counts what was drawn"] = function(t)
        \(model)  local session = model:session { text = "a" }
          local result = session:generate { sampler = "greedy", hooks = "\(name)" }
          t.equal(result.drawn, 2)
        end,
        """
      case .pipeline:
        """
        ---@param t lacuna.test
        ["an input that is missing is named"] = function(t)
          t.raises(function() assert(lacuna.pipeline("\(name)", {})) end, "question")
        end,
        """
      case .tool:
        """
        ---@param t lacuna.test
        ["counts words"] = function(t)
          t.equal(lacuna.tool("\(name)", { text = "one two" }), 2)
        end,
        """
      }
    let head = kind == .pipeline || kind == .tool ? "local lacuna <const> = require \"lacuna\"\n\n" : ""
    let indented = body.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)" }.joined(
      separator: "\n")
    return "\(head)return {\n\(indented)\n}\n"
  }

  /// The folders that a plugin's .luarc.json has the editor look into; none where there is no such file.
  public static func libraries(ofEditorFileIn folder: String) -> [String] {
    guard let bytes = try? ScriptFile.read("\(folder)/.luarc.json"),
      let value = try? JSONValue.parse(bytes, file: ".luarc.json"), case .object(let members) = value,
      case .array(let list)? = members["workspace.library"]
    else { return [] }
    return list.compactMap { if case .string(let path) = $0 { path } else { nil } }
  }

  /// - Throws: `invalidArgument` for a name that is none; `resource` where the folder is there or cannot be made.
  public func write(to folder: String) throws(LacunaError) {
    guard PluginManifest.isKebabCase(name) else {
      throw LacunaError(.invalidArgument, "plugin name: expected lower-case words joined by \"-\", found \"\(name)\"")
    }
    guard !fileExists(folder) else { throw LacunaError(.resource, "\(folder): exists already") }
    try makeFolder(folder)
    for file in files { try writeFile(file.text, to: "\(folder)/\(file.path)") }
  }
}
