/// What a plugin of each kind begins with: small and working, for somebody to change.
struct PluginSample {
  /// What the manifest asks for.
  var capability: String?
  /// A command that uses it.
  let use: String
  /// The definition in init.lua, and a test of it.
  let entry: String
  let test: String

  private init(capability: String? = nil, use: String, entry: String, test: String) {
    (self.capability, self.use, self.entry, self.test) = (capability, use, entry, test)
  }

  init(_ kind: PluginScaffold.Kind, name: String, identifier: String) {
    self =
      switch kind {
      case .sampler: .sampler(name, identifier)
      case .decoder: .decoder(name, identifier)
      case .hooks: .hooks(name, identifier)
      case .pipeline: .pipeline(name, identifier)
      case .probe: .probe(name, identifier)
      case .template: .template(name, identifier)
      case .tool: .tool(name, identifier)
      }
  }

  private static func sampler(_ name: String, _ identifier: String) -> PluginSample {
    PluginSample(
      use: "lacuna generate --prompt \"Once\" --sampler \(name)",
      entry: """
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
        """,
      test: """
        ["drops what is much less probable than the best"] = function(t)
          local probs = t.filter({ "\(name)/\(identifier)", p = 0.5 }, { 2.0, 1.9, 0.0 })
          t.equal(probs[3], 0)
          t.ok(probs[1] > probs[2])
        end,
        """)
  }

  private static func decoder(_ name: String, _ identifier: String) -> PluginSample {
    PluginSample(
      capability: "model.logits",
      use: "lacuna generate --prompt \"Once\" --decoder \(name)",
      entry: """
          decoders = {
            \(identifier) = {
              description = "takes the most probable token each time",
              params = { max_tokens = { type = "integer", default = 64, min = 1 } },
              ---@param session lacuna.Session
              ---@param ctx lacuna.PluginContext
              run = function(session, params, ctx)
                local finish = "length"
                local room = ctx.model.info.context - #session
                for _ = 1, math.min(params.max_tokens, room) do
                  local id = session:logits():argmax()
                  if ctx.model:is_eog(id) then finish = "eos" break end
                  session:push(id)
                end
                return session, { finish = finish }
              end,
            },
          },
        """,
      test: """
        ["goes on until the model ends its answer"] = function(t)
          local model = t.model { vocab = { "a", "b" }, next = { a = { b = 5 }, b = { ["</s>"] = 5 } } }
          local session = model:session { text = "a" }
          local result = session:generate { decoder = "\(name)" }
          t.equal(result.text, "b")
          t.equal(result.finish, "eos")
        end,
        ["stops at a full context"] = function(t)
          local model = t.model { vocab = { "a" }, next = { a = { a = 5 } }, context = 8 }
          local session = model:session { text = "a" }
          t.equal(session:generate({ decoder = "\(name)" }).finish, "context")
          t.equal(#session, 8)
        end,
        """)
  }

  private static func hooks(_ name: String, _ identifier: String) -> PluginSample {
    PluginSample(
      use: "lacuna generate --prompt \"Once\" --hooks \(name)",
      entry: """
          hooks = {
            ---@param ctx lacuna.HookContext
            on_token = function(_, ctx)
              ctx.state.count = (ctx.state.count or 0) + 1      -- rewinds with the tokens
            end,
            on_finish = function(_, ctx) return { drawn = ctx.state.count } end,
          },
        """,
      test: """
        ["counts what was drawn"] = function(t)
          local model = t.model { vocab = { "a", "b" }, next = { a = { b = 5 }, b = { ["</s>"] = 5 } } }
          local session = model:session { text = "a" }
          local result = session:generate { sampler = "greedy", hooks = "\(name)" }
          t.equal(result.drawn, 2)
        end,
        """)
  }

  private static func pipeline(_ name: String, _ identifier: String) -> PluginSample {
    PluginSample(
      capability: "model.generate",
      use: "lacuna run \(name) --question \"Who?\"",
      entry: """
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
        """,
      test: """
        ["an input that is missing is named"] = function(t)
          t.raises(function() assert(lacuna.pipeline("\(name)", {})) end, "question")
        end,
        """)
  }

  private static func probe(_ name: String, _ identifier: String) -> PluginSample {
    PluginSample(
      capability: "model.score",
      use: "lacuna eval \(name) --model demo-unlearned --original demo --reference demo-retrained --data demo",
      entry: """
          probes = {
            \(identifier) = {
              description = "how probable an answer's tokens are on average",
              ---@param item lacuna.ProbeItem
              ---@param ctx lacuna.MeasureContext
              measure = function(item, ctx)
                local scores, err = ctx.model:score { prompt = ctx:render("tofu", item.question), answers = { item.answer } }
                if not scores then return nil, err end
                return { probability = math.exp(scores[1].mean) }
              end,
              -- From the records alone: no model is needed any more.
              summary = function(records)
                local sum = 0
                for _, record in ipairs(records) do sum = sum + record.probability end
                return { probability = sum / #records }
              end,
            },
          },
        """,
      test: """
        ["an answer that is as likely as not"] = function(t)
          local model = t.model { vocab = { "[INST] ", "q", " [/INST]", "a", "b" }, next = { [" [/INST]"] = { a = 40, b = 40 } } }
          local result = t.probe("\(name)", { model = model, items = { { question = "q", answer = "a" } } })
          t.near(result.summary, { probability = 0.5 })
        end,
        """)
  }

  private static func template(_ name: String, _ identifier: String) -> PluginSample {
    PluginSample(
      use: "lacuna chat --template \(name)",
      entry: """
          templates = {
            \(identifier) = {
              description = "a name in front of each message",
              stop = { "\\nuser:" },
              -- What the template writes, and what people wrote: only the former may hold control tokens (special = true).
              render = function(messages)
                local parts = {}
                for _, message in ipairs(messages) do
                  parts[#parts + 1] = { text = message.role .. ": " }
                  parts[#parts + 1] = { text = message.content .. "\\n" }
                end
                parts[#parts + 1] = { text = "assistant:" }
                return parts
              end,
            },
          },
        """,
      test: """
        ["ends where the answer begins"] = function(t)
          t.equal(lacuna.render("\(name)", { { role = "user", content = "Hi" } }), "user: Hi\\nassistant:")
        end,
        """)
  }

  private static func tool(_ name: String, _ identifier: String) -> PluginSample {
    PluginSample(
      use: "lacuna plugin info \(name)",
      entry: """
          tools = {
            \(identifier) = {
              description = "counts words",
              params = { text = { type = "string" } },
              run = function(args) return select(2, args.text:gsub("%S+", "")) end,
            },
          },
        """,
      test: """
        ["counts words"] = function(t)
          t.equal(lacuna.tool("\(name)", { text = "one two" }), 2)
        end,
        """)
  }
}
