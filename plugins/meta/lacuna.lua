---@meta lacuna
-- What scripts get, for editors and for people: LuaCATS annotations, no code. A test keeps the names equal to the
-- bindings'.

---@class lacuna
---@field version string
---@field api integer  level of this API; adding is free, changing raises it
local lacuna = {}

---An expected failure, returned as `nil, err`, and what misuse raises.
---@class lacuna.Error
---@field code string         stable: "not_found", "context_full", "stale_view", "bad_argument", ...
---@field message string
---@field detail any
---@field where string?       "script.lua:12"
---@field traceback string?

---A model by name, or the one of --model. The same model is the same handle.
---@param name? string
---@return lacuna.Model?, lacuna.Error?
function lacuna.model(name) end

---One batched pass a model for everything that is pending in the sessions.
---@param sessions lacuna.Session[]
function lacuna.forward(sessions) end
---Calls fn(item, index) for every item, each in a coroutine of its own. Where an item needs its model (forward, logits,
---generate, streams, score, score_many, perplexity, trace, hidden, lens, pipelines, tools, decoders) it waits for the
---others, and one pass serves them all; what it gets is what it would get alone, to the last bit. Items begin in order,
---`max` at a time (8).
---
---Results are in the order of the items. An item that raises an error, or returns nil and an error, has that in the second
---table; the others finish. Inside table.sort, string.gsub, require and other functions that Lua cannot leave, a call that
---would wait raises "cannot_wait". In a coroutine that the item made itself, in hooks and in sampler stages the pass is made
---at once, for that call alone. A session that an item waits for is busy for the others. `speculate` has no effect in here.
---@generic Item, Result
---@param items Item[]
---@param fn fun(item: Item, index: integer): Result?, any
---@param opts? { max: integer? }
---@return table<integer, Result> results, table<integer, any> errors
function lacuna.parallel(items, fn, opts) end

---An error value, to return behind nil or to raise.
---@param code string
---@param message? string
---@param detail? any
---@return lacuna.Error
function lacuna.error(code, message, detail) end

---Strings and numbers to standard output, at once.
---@param ... string|number
function lacuna.write(...) end

---@class lacuna.grammar
lacuna.grammar = {}
---JSON texts that satisfy a JSON Schema (draft 2020-12's everyday part), given as a table or as JSON text. Properties
---come in the schema's order; a table has none: required ones first as listed, then the others by name.
---@param schema table|string|boolean
---@param opts? { whitespace: ("flexible"|"compact")? }
---@return lacuna.CompiledGrammar?, lacuna.Error?
function lacuna.grammar.json(schema, opts) end
---GBNF, llama.cpp's notation; the rule "root" is the whole text.
---@param text string
---@return lacuna.CompiledGrammar?, lacuna.Error?
function lacuna.grammar.gbnf(text) end
---Texts that the whole regular expression matches.
---@param text string
---@return lacuna.CompiledGrammar?, lacuna.Error?
function lacuna.grammar.regex(text) end
---One of these texts.
---@param texts string[]
---@return lacuna.CompiledGrammar?, lacuna.Error?
function lacuna.grammar.choice(texts) end

---A compiled grammar; needs no model.
---@class lacuna.CompiledGrammar: userdata
local CompiledGrammar = {}
---Whether the text is one of the grammar's; with partial, whether it can become one.
---@param text string
---@param opts? { partial: boolean? }
---@return boolean
function CompiledGrammar:accepts(text, opts) end
---At the grammar's beginning, under a model's vocabulary: for decoding loops of your own.
---@param model lacuna.Model
---@return lacuna.Matcher
function CompiledGrammar:matcher(model) end

---How far a text has come in a grammar.
---@class lacuna.Matcher: userdata
local Matcher = {}
---What may come next, for `logits:keep(set)`.
---@return lacuna.TokenSet
function Matcher:mask() end
---Goes on behind a token; raises for one that may not come next.
---@param id integer
---@return lacuna.Matcher
function Matcher:accept(id) end
---Whether the text so far is whole.
---@return boolean
function Matcher:is_accepting() end
---Whether the text so far is whole and nothing may follow.
---@return boolean
function Matcher:is_finished() end
---@return lacuna.Matcher
function Matcher:fork() end

---What a plugin's init.lua returns: checked, and given back as it is.
---@class lacuna.Plugin
---@field samplers? table<string, lacuna.PluginSampler>
---@field decoders? table<string, lacuna.PluginDecoder>
---@field pipelines? table<string, lacuna.PluginPipeline>
---@field probes? table<string, lacuna.PluginProbe>
---@field templates? table<string, lacuna.PluginTemplate>
---@field tools? table<string, lacuna.PluginTool>
---@field hooks? lacuna.Hooks
---@param plugin lacuna.Plugin
---@return lacuna.Plugin
function lacuna.plugin(plugin) end

---What a parameter, input, output or argument may be.
---@class lacuna.Parameter
---@field type "number"|"integer"|"boolean"|"string"|"list"|"table"|nil  may be left out beside `enum`
---@field of "number"|"integer"|"boolean"|"string"|nil  of a list's elements; "string" by default
---@field default any?       without one, and unless `optional`, the caller must give it
---@field optional boolean?
---@field min number?
---@field max number?
---@field enum any[]?        the only values that are allowed
---@field unit string?
---@field description string?
---@class lacuna.PluginSampler
---@field description string?
---@field params table<string, lacuna.Parameter>?
---@field init? fun(params: table, ctx: { vocab: integer, model: lacuna.Model? }): table
---@field apply? lacuna.StageFunction
---@field pick? lacuna.StageFunction
---@field accept? fun(id: integer, params: table, state: table)
---@field argmax_invariant boolean?  the most probable token stays the most probable one
---@class lacuna.PluginDecoder
---@field description string?
---@field params table<string, lacuna.Parameter>?
---@field run fun(session: lacuna.Session, params: table, ctx: lacuna.PluginContext): lacuna.Session?, table|lacuna.Error|nil
---@class lacuna.PluginPipeline
---@field description string?
---@field input table<string, lacuna.Parameter>?
---@field output table<string, lacuna.Parameter>?
---@field run fun(input: table, ctx: lacuna.PluginContext): table?, lacuna.Error?
---@class lacuna.PluginProbe
---@field description string?
---@field data string|string[]|nil  "forget" (the default), "retain", "real_authors", "world_facts", "holdout", or a data file's name
---@field models ("original"|"reference")[]?  models that `measure` needs beside the one that it is about
---@field formats string[]?  formats of weights to measure in: "bf16", "fp8", "fp8-tensor", "e5m2", "int8", "int4"
---@field params table<string, lacuna.Parameter>?
---@field measure fun(item: lacuna.ProbeItem, ctx: lacuna.MeasureContext): table?, lacuna.Error?
---@field summary fun(records: table[], ctx: lacuna.SummaryContext): table
---@class lacuna.ProbeItem
---@field question string
---@field answer string
---@field paraphrased_question string?
---@field paraphrased_answer string?
---@field perturbed_answer string[]?
---@class lacuna.MeasureContext: lacuna.PluginContext
---@field seed integer           the item's own
---@field task string            "forget"
---@field row integer            in its data file, from 0
---@field split string           "forget05"
---@field original lacuna.Model?  where the probe's `models` names it
---@field reference lacuna.Model?
---@class lacuna.SummaryContext
---@field plugin string
---@field params table
---@field split string
---@field original table[]?   the records of the same rows by the original model
---@field reference table[]?
---@field format string?      in which the records were measured, where there are several
---@field formats table<string, table[]>?  the same model's records by format
---@class lacuna.PluginTemplate
---@field description string?
---@field stop string|string[]|nil  what ends the assistant's turn
---@field checkpoint boolean?  renders the checkpoint's own template, which it gets in `opts`, and writes BOS itself
---@field render fun(messages: { role: string, content: string }[], opts: lacuna.TemplateOptions): { text: string, special: boolean? }[]
---Empty unless the template has `checkpoint = true`.
---@class lacuna.TemplateOptions
---@field chat_template string?         the checkpoint's, in Jinja
---@field add_generation_prompt boolean  the assistant speaks next
---@field bos_token string?
---@field eos_token string?
---@field now table?                     as os.date "*t", for a template that asks for the date
---@class lacuna.PluginTool
---@field description string?
---@field params table<string, lacuna.Parameter>?
---@field run fun(args: table, ctx: lacuna.PluginContext): any, lacuna.Error?
---@class lacuna.PluginContext
---@field plugin string
---@field seed integer
---@field model lacuna.Model
---@field params table?
---@field tool fun(ctx: lacuna.PluginContext, name: string, args: table?): any, lacuna.Error?
---@field pipeline fun(ctx: lacuna.PluginContext, name: string, input: table?): table?, lacuna.Error?
---@field render fun(ctx: lacuna.PluginContext, template: string, messages: string|table[]): string

---Runs a plugin's pipeline with the model of --model; input and output are checked against its schemas.
---@param name string  "ask", or "plugin/ask"
---@param input? table
---@return table?, lacuna.Error?
function lacuna.pipeline(name, input) end
---Calls a plugin's tool.
---@param name string
---@param args? table
---@return any, lacuna.Error?
function lacuna.tool(name, args) end
---Messages, or one question, under a template, as text.
---@param template string
---@param messages string|{ role: string, content: string }[]
---@param model? lacuna.Model
---@return string
function lacuna.render(template, messages, model) end

---@class lacuna.log
lacuna.log = {}
---@param message any
---@param fields? table
function lacuna.log.debug(message, fields) end
---@param message any
---@param fields? table
function lacuna.log.info(message, fields) end
---@param message any
---@param fields? table
function lacuna.log.warn(message, fields) end
---@param message any
---@param fields? table
function lacuna.log.error(message, fields) end

---@class lacuna.json
---@field null userdata  stands for JSON's null in both directions
lacuna.json = {}
---Names sorted; raises for functions, handles, cycles, NaN and infinities.
---@param value any
---@param opts? { indent: integer? }
---@return string
function lacuna.json.encode(value, opts) end
---@param text string
---@return any?, lacuna.Error?
function lacuna.json.decode(text) end
---A copy marked as an array, which an empty table cannot show.
---@param list? any[]
---@return any[]
function lacuna.json.array(list) end

---Summaries of lists of numbers; NaN where a list is too short for them.
---@class lacuna.stats
lacuna.stats = {}
---@param values number[]
---@return number
function lacuna.stats.mean(values) end
---0 as soon as one value is 0.
---@param values number[]
---@return number
function lacuna.stats.harmonic_mean(values) end
---@param values number[]
---@param share number  0 to 1; 0.5 is the median
---@return number
function lacuna.stats.quantile(values, share) end
---The area under the ROC curve: how often a positive scores above a negative, ties counting half.
---@param positives number[]
---@param negatives number[]
---@return number
function lacuna.stats.auc(positives, negatives) end
---The two-sample Kolmogorov-Smirnov test with the exact p-value; D = k / n for samples of one size n.
---@param x number[]
---@param y number[]
---@return { p: number, D: number, k: integer, n: integer, m: integer }
function lacuna.stats.ks2(x, y) end

---@class lacuna.text
lacuna.text = {}
---Recall of ROUGE-1 and ROUGE-L over stemmed words, as Python's rouge_score 0.1.2 counts it.
---@param target string
---@param prediction string
---@return { rouge1: number, rougeL: number }
function lacuna.text.rouge(target, prediction) end
---The bytes that the text takes when zlib compresses it at its default level.
---@param text string
---@return integer
function lacuna.text.zlib_size(text) end

---A stage: { "min_p", p = 0.05 }, "greedy", a filter function, or a table with `apply` (filter) or `pick` (selector).
---@alias lacuna.Stage string|table|lacuna.StageFunction|lacuna.LuaStage
---@alias lacuna.StageFunction fun(logits: lacuna.Vec, params: table, state: table, step: lacuna.Step): integer?
---@class lacuna.LuaStage
---@field name string?
---@field params table?
---@field init? fun(params: table, ctx: table): table   the state: plain data, rewound and forked with the session
---@field apply? lacuna.StageFunction
---@field pick? lacuna.StageFunction                     returns the chosen id
---@field accept? fun(id: integer, params: table, state: table)
---@field argmax_invariant boolean?
---@class lacuna.Step
---@field index integer     tokens drawn before this one
---@field position integer  tokens in the sequence
---@field prompt integer    how many of them are the prompt's
---@field tokens integer[]
---@field rng lacuna.Rng    this stage's random numbers at this position

---@class lacuna.sampler
lacuna.sampler = {}
---Checked here: known names, parameters in range, one selector, at the end.
---@param stages lacuna.Stage[]|string|lacuna.Chain
---@return lacuna.Chain
function lacuna.sampler.chain(stages) end
---Every native stage, with its parameters.
---@return table[]
function lacuna.sampler.stages() end

---@class lacuna.Chain: userdata
local Chain = {}
---What each stage leaves over: { name, survivors, entropy, ids, probs }.
---@param logits lacuna.Vec
---@param opts? { tokens: integer[]?, seed: integer?, stream: integer?, top: integer? }
---@return table[]
function Chain:explain(logits, opts) end

---@class lacuna.Model: userdata
---@field info table              name, path, sha256, stored, weights, layers, hidden, context, kernels, ...
---@field vocab lacuna.Vocab
local Model = {}
---@param text string
---@param opts? { bos: boolean?, special: boolean? }
---@return integer[]
function Model:encode(text, opts) end
---@param ids integer[]
---@return string
function Model:decode(ids) end
---@param id integer
---@return string
function Model:piece(id) end
---@param id integer
---@return boolean
function Model:is_eog(id) end
---@class lacuna.SessionOptions
---@field messages { role: string, content: string }[]?
---@field template string?  "llama2-chat", "tofu", "chatml", "raw"; by default the checkpoint's own
---@field tokens integer[]?
---@field text string?
---@field seed integer?
---@field stream integer?
---@field hooks lacuna.Hooks?
---@field patches lacuna.Patch[]?  what every pass of this session, and of its forks, changes in the model, in this order
---@param opts? lacuna.SessionOptions
---@return lacuna.Session
function Model:session(opts) end
---Which tokens: from 1, or from -1 backwards.
---@alias lacuna.Positions "all"|"last"|integer[]
---Layers are numbered as Hugging Face's hidden_states: 0 is the embedding's output, n that of block n, and the last one
---has gone through the model's last norm.
---@class lacuna.TraceOptions
---@field hidden "all"|integer[]|nil        hidden states of these layers
---@field lens "all"|integer[]|nil          logits if the model ended behind these layers: the last norm and the head
---@field attention "all"|table<integer, "all"|integer[]>|nil  heads, from 0, of blocks, from 1: { [20] = { 3 } }
---@field positions lacuna.Positions?       all by default
---@class lacuna.ModelTraceOptions: lacuna.TraceOptions
---@field template string?
---@field special boolean?
---@field patches lacuna.Patch[]?
---Vecs of one's own, by layer (and head) and position: trace.hidden[16][#trace.tokens]. An attention's Vec has a
---probability for each position that can be seen from there, the first at index 0.
---@class lacuna.Trace
---@field tokens integer[]
---@field positions integer[]
---@field hidden table<integer, table<integer, lacuna.Vec>>
---@field lens table<integer, table<integer, lacuna.Vec>>
---@field attention table<integer, table<integer, table<integer, lacuna.Vec>>>
---What is inside the model while it reads this. At most 2 GiB, in the sandbox half of the script's memory.
---@param what string|integer[]|table[]  text, token ids, or messages under a template
---@param opts? lacuna.ModelTraceOptions
---@return lacuna.Trace
function Model:trace(what, opts) end
---A change to the model for sessions that are given it. `scale` multiplies the vector; alone, it multiplies what is there.
---@class lacuna.PatchOptions
---@field layer integer     0 is the embedding's output, n block n
---@field at "resid"|"attn"|"mlp"|nil  the stream behind the block (the default), or what its attention or MLP adds to it
---@field add lacuna.Vec?   added to what is there
---@field replace lacuna.Vec?  in place of what is there
---@field scale number?
---@field positions lacuna.Positions?  "all" by default; "last": the prompt's last token and each one after it; a list is counted in the prompt that the session is made with
---@param opts lacuna.PatchOptions
---@return lacuna.Patch
function Model:patch(opts) end
---@param what string|lacuna.Snapshot
---@return lacuna.Session?, lacuna.Error?
function Model:restore(what) end
---@class lacuna.ScoreRequest
---@field prompt string
---@field answers string[]
---@field boundary "joint"|"split"|nil  "joint" (the default) encodes prompt and answer as one text
---@field eos boolean?        whether EOS is scored behind each answer
---@field bos boolean?        whether the prompt begins with BOS; by default it does
---@field per_token boolean?  whether tokens, log-probabilities and whether each was the likeliest are listed
---@alias lacuna.AnswerScore { sum: number, n: integer, mean: number, greedy: boolean, tokens: integer[]?, logprobs: number[]?, hits: boolean[]? }
---How probable each answer is after the prompt, which is evaluated once.
---@param opts lacuna.ScoreRequest
---@return lacuna.AnswerScore[]?, lacuna.Error?
function Model:score(opts) end
---Scores many: what prompts have in common is evaluated once for all of them.
---@param list lacuna.ScoreRequest[]
---@param opts? { on_item: fun(index: integer, scores: lacuna.AnswerScore[]?, err: lacuna.Error?)? }  told in the list's order
---@return table<integer, lacuna.AnswerScore[]> results, table<integer, lacuna.Error> errors
function Model:score_many(list, opts) end
---What was expected in the place of each scored token: whether the token was the likeliest (hits), mean and variance of ln p
---over the vocabulary.
---@param opts { prompt: string, answer: string, boundary: "joint"|"split"|nil, eos: boolean?, bos: boolean? }
---@return { tokens: integer[], logprobs: number[], hits: boolean[], means: number[], variances: number[] }?, lacuna.Error?
function Model:moments(opts) end
---KL(other || model) in nats of the next-token distributions behind every token of prompt and answer.
---@param other lacuna.Model
---@param opts { prompt: string, answer: string, boundary: "joint"|"split"|nil, eos: boolean?, bos: boolean? }
---@return { mean: number, values: number[] }?, lacuna.Error?
function Model:kl(other, opts) end
---@param text string
---@param opts? { stride: integer? }
---@return number?, { sum: number, n: integer }|lacuna.Error
function Model:perplexity(text, opts) end

---Equal (==) where the tokenizers are identical.
---@class lacuna.Vocab: userdata
---@field size integer
---@field bos integer?
---@field eos integer?
local Vocab = {}
---@param ids? integer[]
---@return lacuna.Set
function Vocab:set(ids) end

---@class lacuna.Session: userdata
---@field model lacuna.Model
---@field seed integer
local Session = {}
---Text (content: never special tokens), token ids, or messages under a template.
---@param what string|integer[]|table[]
---@param opts? { template: string?, special: boolean? }
---@return lacuna.Session
function Session:append(what, opts) end
---@param id integer
---@return lacuna.Session
function Session:push(id) end
---@param i? integer
---@param j? integer
---@return string
function Session:text(i, j) end
---@param i? integer
---@param j? integer
---@return integer[]
function Session:tokens(i, j) end
---Frozen view of the last position's logits; stale once the session moves on.
---@return lacuna.Vec
function Session:logits() end
---The last position's hidden state behind a layer, numbered as in a trace: a frozen view, stale once the session moves on.
---The first call for a layer may run the last token again; from then on passes for the logits bring the state along.
---@param layer integer
---@return lacuna.Vec
function Session:hidden(layer) end
---The last position's logits if the model ended behind a layer: the last norm and the head over the residual stream
---there. Like `hidden` otherwise.
---@param layer integer
---@return lacuna.Vec
function Session:lens(layer) end
---As Model:trace, of this session's tokens, under its patches. Evaluates again from the first wanted position on.
---@param opts? lacuna.TraceOptions
---@return lacuna.Trace
function Session:trace(opts) end
---One Vec for the tokens: the mean of a layer's hidden states over positions, or the last one's. A BOS token counts like
---any other; `positions` leaves it out.
---@param opts? { layer: integer?, pooling: ("mean"|"last")?, positions: lacuna.Positions? }
---@return lacuna.Vec
function Session:embedding(opts) end
---@return integer
function Session:mark() end
---Keeps the first n tokens.
---@param n integer
---@return lacuna.Session
function Session:rewind(n) end
---@return lacuna.Session
function Session:fork() end
---@return lacuna.Snapshot
function Session:snapshot() end
---@param path string
---@return lacuna.Session?, lacuna.Error?
function Session:save(path) end
function Session:close() end

---Guesses tokens and checks several in one pass. Never changes what is generated, only when it is there.
---@class lacuna.Speculation
---@field lookup integer?        copy what followed the last n tokens (1 to 16) where they occurred before
---@field draft lacuna.Model?    guess with this model, which must share the vocabulary
---@field tokens integer?        always guess so many (1 to 15); by default what pays
---A prompt (text, tokens or messages) is appended first, as Session:append does, and is what on_prompt and on_tokens see.
---@class lacuna.GenerateOptions
---@field text string?
---@field tokens integer[]?
---@field messages { role: string, content: string }[]?
---@field template string?
---@field max_tokens integer?
---@field sampler lacuna.Stage[]|lacuna.Chain|string|nil
---@field stop string|string[]|nil
---@field seed integer?
---@field stream integer?   another stream of random numbers, for another try
---@field logprobs integer? how many alternatives each token reports
---@field hooks lacuna.Hooks|string|(lacuna.Hooks|string)[]|nil  tables, and names of plugins; on_prompt and on_tokens need a prompt in the same table
---@field decoder string?   a plugin's decoder instead of drawing; the other options are its parameters
---@field speculate lacuna.Speculation?
---@field grammar lacuna.CompiledGrammar?  nothing else may be written; `finish` is "grammar" when the text is whole
---@class lacuna.Usage
---@field prompt_tokens integer
---@field completion_tokens integer
---@field drafted integer?   with `speculate`: tokens guessed (without `tokens` this depends on measured times)
---@field accepted integer?  those of them that came true
---@field passes integer?    passes of the model, the prompt's included
---@class lacuna.Result
---@field text string
---@field tokens integer[]
---@field finish "eos"|"stop"|"length"|"context"
---@field logprobs number[]
---@field top { token: integer, logprob: number }[][]?
---@field usage lacuna.Usage
---@field info table?       what a decoder says of its work
---@param opts? lacuna.GenerateOptions
---@return lacuna.Result
function Session:generate(opts) end
---@class lacuna.StreamEvent
---@field token integer?
---@field logprob number?
---@field forced boolean?  the grammar left this token only
---@field finish string?
---@field top { token: integer, logprob: number }[]?
---@field taken_back integer?
---For the generic for; leaving the loop ends the generation.
---@param opts? lacuna.GenerateOptions
---@return lacuna.Stream
function Session:stream(opts) end

---@class lacuna.Stream: userdata
---@operator call: string?, lacuna.StreamEvent
local Stream = {}
---@return lacuna.Result
function Stream:result() end
function Stream:close() end

---A change to a model, made by Model:patch. Closing it leaves the sessions that have it as they are.
---@class lacuna.Patch: userdata
local Patch = {}
function Patch:close() end

---A session's past, its patches included; only one without patches can be saved.
---@class lacuna.Snapshot: userdata
local Snapshot = {}
---@param path string
---@return lacuna.Snapshot?, lacuna.Error?
function Snapshot:save(path) end

---@class lacuna.HookContext
---@field step integer
---@field rewinds integer        how often a hook took tokens back so far
---@field session lacuna.Session? nil under --hooks
---@field state table            plain data of this hook; rewinds with the tokens
---@field logprob number?        of the chosen token, in on_token
---@class lacuna.Hooks
---@field name string?
---@field priority number?
---@field on_prompt? fun(prompt: string|table[], ctx: lacuna.HookContext): (string|table[])?
---@field on_tokens? fun(ids: integer[], ctx: lacuna.HookContext): integer[]?
---@field on_logits? fun(logits: lacuna.Vec, ctx: lacuna.HookContext)
---@field on_token? fun(id: integer, ctx: lacuna.HookContext): integer|"stop"|{ rewind: integer }|nil
---@field on_text? fun(piece: string, ctx: lacuna.HookContext): string?
---@field on_finish? fun(result: lacuna.Result, ctx: lacuna.HookContext): table?

---Float32 values indexed by token id (from 0). Where distributions are concerned they are logits.
---@class lacuna.Vec: userdata
---@field [integer] number
---@field get fun(v, ids: integer[]): number[]
---@field set fun(v, ids: integer[], x: number): lacuna.Vec
---@field max fun(v): number?, integer?
---@field argmax fun(v): integer?
---@field sum fun(v): number
---@field dot fun(v, w: lacuna.Vec): number
---@field cosine fun(v, w: lacuna.Vec): number
---@field norm fun(v): number
---@field logsumexp fun(v): number
---@field entropy fun(v): number             nats
---@field rank fun(v, id: integer): integer   1 is the argmax
---@field kl fun(v, w: lacuna.Vec): number    nats
---@field jsd fun(v, w: lacuna.Vec): number   Jensen-Shannon divergence, nats: 0 to ln 2
---@field copy fun(v): lacuna.Vec
---@field softmax fun(v, t: number?): lacuna.Vec
---@field log_softmax fun(v, t: number?): lacuna.Vec
---@field topk fun(v, k: integer): integer[], number[]
---@field below fun(v, x: number): lacuna.Set
---@field top_mass fun(v, p: number): lacuna.Set
---@field fill fun(v, x: number): lacuna.Vec
---@field scale fun(v, a: number): lacuna.Vec
---@field add fun(v, x: number|lacuna.Vec): lacuna.Vec
---@field axpy fun(v, a: number, w: lacuna.Vec): lacuna.Vec
---@field clamp fun(v, low: number, high: number): lacuna.Vec
---@field bias fun(v, biases: table<integer, number>): lacuna.Vec
---@field mask fun(v, set: lacuna.Set): lacuna.Vec
---@field keep fun(v, set: lacuna.Set): lacuna.Vec
---@field mask_below fun(v, x: number): lacuna.Vec
---@field sample fun(v, rng: lacuna.Rng): integer
---@field gumbel_topk fun(v, k: integer, rng: lacuna.Rng): integer[], number[]

---@class lacuna.vec
---@field new fun(n: integer, x: number?): lacuna.Vec
---@field of fun(list: number[]): lacuna.Vec

---@class lacuna.Set: userdata
---@operator bor(lacuna.Set): lacuna.Set
---@operator band(lacuna.Set): lacuna.Set
---@operator bxor(lacuna.Set): lacuna.Set
---@operator sub(lacuna.Set): lacuna.Set
---@operator bnot: lacuna.Set
---@operator len: integer
---@field contains fun(s, id: integer): boolean
---@field ids fun(s): integer[]
---@field each fun(s): fun(): integer?
---@field add fun(s, ids: integer|integer[]): lacuna.Set
---@field remove fun(s, ids: integer|integer[]): lacuna.Set

---@class lacuna.set
---@field new fun(size: integer, ids: integer[]?): lacuna.Set

---A position in a stream of random numbers; every call moves it by one.
---@class lacuna.Rng: userdata
---@field seed integer
---@field stream integer
---@field position integer
---@field uniform fun(r, low: number?, high: number?): number
---@field integer fun(r, low: integer, high: integer): integer
---@field normal fun(r, mean: number?, deviation: number?): number
---@field choice fun(r, list: any[]): any
---@field shuffle fun(r, list: any[]): any[]
---@field fork fun(r, n: integer): lacuna.Rng
---@overload fun(seed: integer, stream?: integer): lacuna.Rng

---@type lacuna.vec
lacuna.vec = nil
---@type lacuna.set
lacuna.set = nil
---@type fun(seed: integer, stream?: integer): lacuna.Rng
lacuna.rng = nil

return lacuna
