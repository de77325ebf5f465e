---@meta lacuna
-- What scripts get, for editors and for people: LuaCATS annotations, no code. Editors complete from this file, and
-- `lacuna doc`, the help of `lacuna repl` and docs/reference are made of it. Tests hold it to the bindings: names,
-- parameters, and every type that is mentioned. A comment "-- # Title" begins a page of the reference.

-- # Models
-- What `require "lacuna"` returns, and models. A handle to a model stays the same however often it is asked for, and
-- the model is loaded once.

---What `require "lacuna"` returns. Its parts can be required alone: `require "lacuna.vec"`.
---@class lacuna
---@field version string  of Lacuna, "0.1.0"
---@field api integer  level of this API: adding to it is free, changing it raises the level
local lacuna = {}

---An expected failure, returned as `nil, err`, and what misuse raises. `tostring(err)` is a line for people.
---@class lacuna.Error
---@field code string  stable: "not_found", "unreadable", "malformed", "unsupported", "invalid_argument", "bad_argument", "context_full", "not_finite", "resource", "stale_view", "closed", "busy", "no_field", "denied", "cancelled", or one of your own
---@field message string  what, where, what was expected and what was found
---@field detail any  what `lacuna.error` was given
---@field where string?  "script.lua:12"
---@field traceback string?  of where it was raised

---A model by its name (`lacuna models`), a folder or a GGUF file; without a name the one of --model, else "demo".
---```lua
---local model <const> = assert(lacuna.model "demo")
---print(model.info.layers, model.info.weights)
---```
---@param name? string
---@return lacuna.Model? model
---@return lacuna.Error? err  "not_found", or what is wrong with the files
function lacuna.model(name) end

---Evaluates everything that is pending in the sessions: one pass of each model, its weights read once for all of its
---sessions. Never changes a result, only when it is there.
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
---```lua
---local texts <const>, errors <const> = lacuna.parallel({ "Who?", "Where?", "When?" }, function(question)
---  local chat <close> = model:session { messages = { { role = "user", content = question } } }
---  return chat:generate({ max_tokens = 8 }).text
---end, { max = 3 })
---```
---@generic Item, Result
---@param items Item[]
---@param fn fun(item: Item, index: integer): Result?, any
---@param opts? { max: integer? }  how many at a time; 8 by default
---@return table<integer, Result> results
---@return table<integer, any> errors
function lacuna.parallel(items, fn, opts) end

---An error value, to return behind nil or to raise with `error`.
---@param code string  for programs: "invalid_output"
---@param message? string  for people
---@param detail? any
---@return lacuna.Error err
function lacuna.error(code, message, detail) end

---Strings and numbers to standard output, at once and with nothing between or behind them.
---@param ... string|number
function lacuna.write(...) end

---A loaded model. Immutable: any number of sessions may share it.
---@class lacuna.Model: userdata
---@field info lacuna.ModelInfo
---@field vocab lacuna.Vocab
local Model = {}

---@class lacuna.ModelInfo
---@field name string
---@field path string
---@field sha256 string  identifies the checkpoint's content
---@field stored string  the format on disk
---@field weights string?  the type that most weights are run in: "e4m3", "bf16", "f16" or "f32"
---@field weight_bytes table<string, integer>  by type
---@field parameters integer
---@field layers integer
---@field hidden integer  the width of a hidden state
---@field heads integer
---@field kv_heads integer
---@field vocab integer  tokens in the vocabulary
---@field context integer  the most tokens that a session may hold
---@field kernels string  the instruction set in use: "amx", "avx512fp16", "avx512bf16", "avx2", "scalar", ...
---@field threads integer
---@field precision string  "fast" or "f32"
---@field kv string  the type of keys and values
---@field kv_bytes_per_token integer

---The ids of a text.
---@param text string
---@param opts? { bos: boolean?, special: boolean? }  `bos` puts the beginning-of-sequence token in front; `special` reads control tokens that are written out ("</s>"); both are false by default
---@return integer[] ids
function Model:encode(text, opts) end

---The text of ids, as a whole; bytes that are no UTF-8 are replaced.
---@param ids integer[]
---@return string text
function Model:decode(ids) end

---One token as the vocabulary writes it, for people to look at. Pieces do not join into texts: see `Model:decode`.
---@param id integer
---@return string piece
function Model:piece(id) end

---Whether the token ends a generation.
---@param id integer
---@return boolean is_end
function Model:is_eog(id) end

---@class lacuna.Message
---@field role string  "system", "user" or "assistant"
---@field content string

---What a session begins with: at most one of `messages`, `tokens` and `text`.
---@class lacuna.SessionOptions
---@field messages lacuna.Message[]?  put into the template, ready for the assistant's turn
---@field template string?  beside `messages`: "llama2-chat", "tofu", "chatml", "raw" or a plugin's; by default the checkpoint's own
---@field tokens integer[]?  as they are
---@field text string?  as it is, with the beginning-of-sequence token in front
---@field seed integer?  of its random numbers; by default that of --seed
---@field stream integer?  another stream of random numbers under the same seed; 0 by default
---@field hooks lacuna.Hooks|string|(lacuna.Hooks|string)[]|nil  stand beside every generation; tables, and names of plugins
---@field patches lacuna.Patch[]?  what every pass of this session, and of its forks, changes in the model, in this order

---A new timeline. Nothing is evaluated before somebody needs logits.
---```lua
---local session <close> = model:session { text = "Once upon a time" }
---```
---@param opts? lacuna.SessionOptions
---@return lacuna.Session session
function Model:session(opts) end

---A session as it was when the snapshot was taken or saved.
---@param what string|lacuna.Snapshot  a file's path, or a snapshot of this model
---@return lacuna.Session? session
---@return lacuna.Error? err  also where the file belongs to another model
function Model:restore(what) end

---@class lacuna.ScoreRequest
---@field prompt string
---@field answers string[]
---@field boundary "joint"|"split"|nil  whether prompt and answer are encoded together and cut at the prompt's length ("joint", by default), or one by one
---@field eos boolean?  score the end of the answer, too; false by default
---@field bos boolean?  a beginning-of-sequence token in front; true by default
---@field per_token boolean?  give `tokens`, `logprobs` and `hits`

---@class lacuna.AnswerScore
---@field sum number  log-probability of the answer, in nats
---@field n integer  tokens that were scored
---@field mean number  sum / n
---@field greedy boolean  whether greedy decoding would give this answer
---@field tokens integer[]?
---@field logprobs number[]?  of each token, in nats
---@field hits boolean[]?  whether each token was the likeliest

---Log-probabilities of answers to a prompt, which is evaluated once for all of them.
---```lua
---local scores <const> = assert(model:score { prompt = "[INST] Who wrote Hamlet? [/INST]", answers = { " Shakespeare", " Milton" } })
---print(scores[1].mean - scores[2].mean)
---```
---@param opts lacuna.ScoreRequest
---@return lacuna.AnswerScore[]? scores  in the order of the answers
---@return lacuna.Error? err  "context_full" for a text that does not fit
function Model:score(opts) end

---Scores many: what prompts have in common is evaluated once for all of them.
---@param list lacuna.ScoreRequest[]
---@param opts? { on_item: fun(index: integer, scores: lacuna.AnswerScore[]?, err: lacuna.Error?)? }  told in the list's order
---@return table<integer, lacuna.AnswerScore[]> results  by place in the list
---@return table<integer, lacuna.Error> errors  of those that could not be scored
function Model:score_many(list, opts) end

---What was expected in the place of each scored token: whether the token was the likeliest (hits), mean and variance of ln p
---over the vocabulary.
---@param opts { prompt: string, answer: string, boundary: "joint"|"split"|nil, eos: boolean?, bos: boolean? }
---@return { tokens: integer[], logprobs: number[], hits: boolean[], means: number[], variances: number[] }? moments
---@return lacuna.Error? err
function Model:moments(opts) end

---KL(other || model) in nats of the next-token distributions behind every token of prompt and answer.
---@param other lacuna.Model
---@param opts { prompt: string, answer: string, boundary: "joint"|"split"|nil, eos: boolean?, bos: boolean? }
---@return { mean: number, values: number[] }? kl
---@return lacuna.Error? err
function Model:kl(other, opts) end

---exp of the mean negative log-probability of a text's tokens, by a window that moves over it.
---@param text string
---@param opts? { stride: integer? }  tokens that the window moves by; 512, or half the context where that is less
---@return number? perplexity
---@return { sum: number, n: integer }|lacuna.Error detail  the sum in nats and the number of tokens, or why there is none
function Model:perplexity(text, opts) end

---Equal (==) where the tokenizers are identical. `#vocab` is its size.
---@class lacuna.Vocab: userdata
---@field size integer
---@field bos integer?  beginning of sequence
---@field eos integer?  end of sequence
---@operator len: integer
local Vocab = {}

---A set of token ids.
---@param ids? integer[]  none by default
---@return lacuna.Set set
function Vocab:set(ids) end

-- # Sessions
-- One timeline over a model: tokens, the keys and values that they left, the logits behind the last of them. Forks share
-- what they have in common; rewinding costs nothing.

---`#session` is the number of its tokens. With `<close>` its memory is given back at the end of the block.
---@class lacuna.Session: userdata
---@field model lacuna.Model
---@field seed integer
---@operator len: integer
local Session = {}

---Puts more behind what is there: text (never read as control tokens, unless `special`), token ids, or messages under
---a template.
---@param what string|integer[]|lacuna.Message[]
---@param opts? { template: string?, special: boolean? }
---@return lacuna.Session self
function Session:append(what, opts) end

---Puts one token behind what is there.
---@param id integer
---@return lacuna.Session self
function Session:push(id) end

---The text of tokens i to j, counted as `string.sub` counts: from 1, negative ones from the end; all by default.
---@param i? integer
---@param j? integer
---@return string text
function Session:text(i, j) end

---The ids of tokens i to j, counted in the same way.
---@param i? integer
---@param j? integer
---@return integer[] ids
function Session:tokens(i, j) end

---What comes next, one logit a token id; runs the pending pass if there is one. A frozen view, not a copy: stale once
---the session moves on, which raises "stale_view". `logits():copy()` stays and can be changed.
---```lua
---local p <const> = session:logits():softmax()
---local ids <const>, probabilities <const> = p:topk(5)
---```
---@return lacuna.Vec logits
function Session:logits() end

---A place to come back to: the number of tokens.
---@return integer mark
function Session:mark() end

---Keeps the first n tokens. Costs nothing, and later draws are the same as the first time: pass another `stream` to
---generate for another try.
---@param n integer  from `mark`, or `#session - k`
---@return lacuna.Session self
function Session:rewind(n) end

---A second timeline that begins with the same tokens. Memory is shared until one of the two writes; the random numbers
---are a stream of its own.
---@return lacuna.Session fork
function Session:fork() end

---The session as it is now, kept apart from it.
---@return lacuna.Snapshot snapshot
function Session:snapshot() end

---Writes the session to a file, with the model's hash; see `Model:restore`.
---@param path string
---@return lacuna.Session? self
---@return lacuna.Error? err
function Session:save(path) end

---Gives its memory back; any later use raises "closed".
function Session:close() end

---Guesses tokens and checks several in one pass. Never changes what is generated, only when it is there.
---@class lacuna.Speculation
---@field lookup integer?  copy what followed the last n tokens (1 to 16) where they occurred before
---@field draft lacuna.Model?  guess with this model, which must share the vocabulary
---@field tokens integer?  always guess so many (1 to 15); by default what pays

---A prompt (text, tokens or messages) is appended first, as Session:append does, and is what on_prompt and on_tokens see.
---@class lacuna.GenerateOptions
---@field text string?
---@field tokens integer[]?
---@field messages lacuna.Message[]?
---@field template string?  beside `messages`
---@field max_tokens integer?  by default until the model ends its answer or its context is full
---@field sampler lacuna.Stage[]|lacuna.Chain|string|nil  by default top_p 0.95, min_p 0.05, temperature 0.8, dist
---@field stop string|string[]|nil  texts that end the generation, and are not part of it
---@field seed integer?  by default the session's
---@field stream integer?  another stream of random numbers, for another try
---@field logprobs integer?  how many alternatives each token reports
---@field hooks lacuna.Hooks|string|(lacuna.Hooks|string)[]|nil  tables, and names of plugins; on_prompt and on_tokens need a prompt in the same table
---@field decoder string?  a plugin's decoder instead of drawing; the other options are its parameters
---@field speculate lacuna.Speculation?
---@field grammar lacuna.CompiledGrammar?  nothing else may be written; `finish` is "grammar" when the text is whole

---@class lacuna.Usage
---@field prompt_tokens integer
---@field completion_tokens integer
---@field drafted integer?  with `speculate`: tokens guessed (without `tokens` this depends on measured times)
---@field accepted integer?  those of them that came true
---@field passes integer?  passes of the model, the prompt's included

---@class lacuna.Result
---@field text string
---@field tokens integer[]
---@field finish "eos"|"stop"|"length"|"grammar"|"context"  the model's end, a stop text or a hook, max_tokens, a whole text of the grammar, a full context
---@field logprobs number[]?  of each token under the model's own logits, in nats, without the end's; nil for decoders
---@field top { token: integer, logprob: number }[][]?  with `logprobs`, likeliest first
---@field usage lacuna.Usage
---@field info table?  what a decoder says of its work
---@field repro lacuna.Reproduction

---All that a result depends on. `lacuna replay` runs it again from a file with the result as JSON.
---@class lacuna.Reproduction
---@field lacuna string  the version
---@field api integer
---@field model { name: string, path: string, sha256: string, load: table }  `load`: how it was loaded
---@field weights string?  the type that most weights were run in
---@field kernel string  the instruction set
---@field plugins { name: string, version: string, sha256: string }[]
---@field seed integer
---@field stream integer
---@field prompt integer[]  the session's tokens before the generation
---@field options table  max_tokens, stop, sampler, hooks, grammar, decoder
---@field script_parts string[]?  functions of the script that took part, which cannot be run again from here
---@field result_sha256 string  of ids and log-probabilities

---Draws tokens until something ends it. They stay in the session.
---```lua
---local result <const> = session:generate { max_tokens = 32, sampler = { { "min_p", p = 0.1 }, { "dist" } } }
---print(result.text, result.finish)
---```
---@param opts? lacuna.GenerateOptions
---@return lacuna.Result result
function Session:generate(opts) end

---@class lacuna.StreamEvent
---@field token integer?  nil where only held-back text comes, or the end
---@field logprob number?  in nats
---@field forced boolean?  the grammar left this token only
---@field finish string?  on the last event
---@field top { token: integer, logprob: number }[]?
---@field taken_back integer?  a hook took so many tokens back, counted from the last

---The same, piece by piece, for the generic `for`. A piece is whole UTF-8, and may be empty; leaving the loop ends the
---generation.
---```lua
---for piece, event in session:stream { max_tokens = 16 } do
---  lacuna.write(piece)
---  if event.finish then lacuna.write("\n", event.finish, "\n") end
---end
---```
---@param opts? lacuna.GenerateOptions  all but `decoder`
---@return lacuna.Stream stream
function Session:stream(opts) end

---A generation under way: `for piece, event in stream do`. Leaving the loop ends it.
---@class lacuna.Stream: userdata
---@operator call: string?, lacuna.StreamEvent
local Stream = {}

---What has come so far, as `Session:generate` returns it.
---@return lacuna.Result result
function Stream:result() end

---Ends the generation.
function Stream:close() end

---A session's past, its patches included, kept apart from it; only one without patches can be saved. `#snapshot` is the
---number of its tokens.
---@class lacuna.Snapshot: userdata
---@operator len: integer
local Snapshot = {}

---Writes it to a file; see `Model:restore`.
---@param path string
---@return lacuna.Snapshot? self
---@return lacuna.Error? err
function Snapshot:save(path) end

---One table for all calls of a hook in a generation; what is to be kept belongs in `state`.
---@class lacuna.HookContext
---@field step integer  tokens generated before this one
---@field rewinds integer  how often a hook took tokens back so far
---@field session lacuna.Session?  nil under --hooks
---@field state table  plain data of this hook; rewinds with the tokens
---@field logprob number?  of the chosen token, in on_token

---Functions that stand beside a generation. What returns nil changes nothing.
---@class lacuna.Hooks
---@field name string?  for messages
---@field priority number?  lower ones run first; 0 by default
---@field on_prompt? fun(prompt: string|lacuna.Message[], ctx: lacuna.HookContext): (string|lacuna.Message[])?  before the template; may return another prompt
---@field on_tokens? fun(ids: integer[], ctx: lacuna.HookContext): integer[]?  the encoded prompt; may return other ids
---@field on_logits? fun(logits: lacuna.Vec, ctx: lacuna.HookContext)  before the sampler chain; changed in place
---@field on_token? fun(id: integer, ctx: lacuna.HookContext): integer|"stop"|{ rewind: integer }|nil  the chosen token; may return another one, an end, or how many tokens to take back
---@field on_text? fun(piece: string, ctx: lacuna.HookContext): string?  whole UTF-8; may return another text, "" for none
---@field on_finish? fun(result: lacuna.Result, ctx: lacuna.HookContext): table?  may return fields to add

-- # Inside the model
-- Hidden states, attention and the logit lens, and changes to what passes through. Layers are numbered as Hugging Face's
-- hidden_states: 0 is the embedding's output, n that of block n, and the last one has gone through the model's last norm.

---Which tokens: from 1, or from -1 backwards.
---@alias lacuna.Positions "all"|"last"|integer[]

---@class lacuna.TraceOptions
---@field hidden "all"|integer[]|nil  hidden states of these layers
---@field lens "all"|integer[]|nil  logits if the model ended behind these layers: the last norm and the head
---@field attention "all"|table<integer, "all"|integer[]>|nil  heads, from 0, of blocks, from 1: { [20] = { 3 } }
---@field positions lacuna.Positions?  all by default

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
---```lua
---local trace <const> = model:trace("Once upon a time", { hidden = { 0, 2 }, lens = "all", positions = "last" })
---print(trace.hidden[2][#trace.tokens]:norm())
---```
---@param what string|integer[]|lacuna.Message[]  text, token ids, or messages under a template
---@param opts? lacuna.ModelTraceOptions
---@return lacuna.Trace trace
function Model:trace(what, opts) end

---`scale` multiplies the vector; alone, it multiplies what is there.
---@class lacuna.PatchOptions
---@field layer integer  0 is the embedding's output, n block n
---@field at "resid"|"attn"|"mlp"|nil  the stream behind the block (the default), or what its attention or MLP adds to it
---@field add lacuna.Vec?  added to what is there
---@field replace lacuna.Vec?  in place of what is there
---@field scale number?
---@field positions lacuna.Positions?  "all" by default; "last": the prompt's last token and each one after it; a list is counted in the prompt that the session is made with

---A change to the model, for sessions that are given it.
---@param opts lacuna.PatchOptions
---@return lacuna.Patch patch
function Model:patch(opts) end

---A change to a model, made by Model:patch. Closing it leaves the sessions that have it as they are.
---@class lacuna.Patch: userdata
local Patch = {}

---Gives its memory back, once no session needs it.
function Patch:close() end

---The last position's hidden state behind a layer, numbered as in a trace: a frozen view, stale once the session moves on.
---The first call for a layer may run the last token again; from then on passes for the logits bring the state along.
---@param layer integer
---@return lacuna.Vec state
function Session:hidden(layer) end

---The last position's logits if the model ended behind a layer: the last norm and the head over the residual stream
---there. Like `hidden` otherwise.
---@param layer integer
---@return lacuna.Vec logits
function Session:lens(layer) end

---As Model:trace, of this session's tokens, under its patches. Evaluates again from the first wanted position on.
---@param opts? lacuna.TraceOptions
---@return lacuna.Trace trace
function Session:trace(opts) end

---One Vec for the tokens: the mean of a layer's hidden states over positions, or the last one's. A BOS token counts like
---any other; `positions` leaves it out.
---@param opts? { layer: integer?, pooling: ("mean"|"last")?, positions: lacuna.Positions? }
---@return lacuna.Vec embedding
function Session:embedding(opts) end

-- # Sampling
-- A chain is a list of stages in your order: filters, then exactly one selector. The native stages are listed by
-- `lacuna doc stages`.

---A stage: { "min_p", p = 0.05 }, "greedy", a filter function, or a table with `apply` (filter) or `pick` (selector).
---@alias lacuna.Stage string|table|lacuna.StageFunction|lacuna.LuaStage

---What `apply` and `pick` are. `apply` changes the logits in place, `pick` returns the id that it chose.
---@alias lacuna.StageFunction fun(logits: lacuna.Vec, params: table, state: table, step: lacuna.Step): integer?

---@class lacuna.LuaStage
---@field name string?  for messages
---@field params table?  given to each function
---@field init? fun(params: table, ctx: table): table  the state: plain data, rewound and forked with the session
---@field apply? lacuna.StageFunction
---@field pick? lacuna.StageFunction  returns the chosen id
---@field accept? fun(id: integer, params: table, state: table)  told of every token that was appended
---@field argmax_invariant boolean?  the most probable token stays the most probable one

---@class lacuna.Step
---@field index integer  tokens drawn before this one
---@field position integer  tokens in the sequence
---@field prompt integer  how many of them are the prompt's
---@field tokens integer[]
---@field rng lacuna.Rng  this stage's random numbers at this position

---Chains of sampler stages.
---@class lacuna.sampler
lacuna.sampler = {}

---A checked chain: known names, parameters in range, one selector, at the end.
---```lua
---local chain <const> = lacuna.sampler.chain { { "temperature", t = 0.7 }, { "top_k", 40 }, { "dist" } }
---```
---@param stages lacuna.Stage[]|string|lacuna.Chain  as text: "temperature:0.7 top_k:40 dist"
---@return lacuna.Chain chain
function lacuna.sampler.chain(stages) end

---@class lacuna.StageInfo
---@field name string
---@field selector boolean  whether it ends a chain
---@field meaning string
---@field params { name: string, kind: string, meaning: string }[]

---Every native stage, with its parameters.
---@return lacuna.StageInfo[] stages
function lacuna.sampler.stages() end

---@class lacuna.StageReport
---@field name string  "input" for the logits as they came
---@field survivors integer  tokens that can still be drawn
---@field entropy number  of their distribution, in nats
---@field ids integer[]  the most probable ones, best first
---@field probs number[]  theirs

---`#chain` is the number of its stages.
---@class lacuna.Chain: userdata
---@operator len: integer
local Chain = {}

---What each stage leaves over, the selector's choice last. Changes neither logits nor state.
---```lua
---for _, stage in ipairs(lacuna.sampler.chain("min_p:0.1 dist"):explain(session:logits())) do
---  print(stage.name, stage.survivors, stage.entropy)
---end
---```
---@param logits lacuna.Vec
---@param opts? { tokens: integer[]?, seed: integer?, stream: integer?, top: integer? }  `tokens` before this one; `top` is how many ids are listed, 5 by default
---@return lacuna.StageReport[] reports
function Chain:explain(logits, opts) end

-- # Vectors
-- Native memory for what is as long as a vocabulary. Verbs change the receiver and return it (`scale`, `mask`), nouns
-- return something new (`softmax`, `topk`).

---Float32 values indexed by token id, from 0: `v[id]`, `#v`. Where distributions are concerned they are logits. A loop in
---Lua over a whole vocabulary takes a millisecond or two; the methods take a few hundredths.
---@class lacuna.Vec: userdata
---@field [integer] number
---@operator len: integer
local Vec = {}

---The values at ids.
---@param ids integer[]
---@return number[] values
function Vec:get(ids) end

---Sets the values at ids to one number.
---@param ids integer[]
---@param x number
---@return lacuna.Vec self
function Vec:set(ids, x) end

---The largest value, and the first id that has it; nil where all are NaN.
---@return number? x
---@return integer? id
function Vec:max() end

---The first id with the largest value.
---@return integer? id
function Vec:argmax() end

---Of all values.
---@return number sum
function Vec:sum() end

---The inner product.
---@param w lacuna.Vec  of the same length
---@return number product
function Vec:dot(w) end

---The cosine of the angle between the two.
---@param w lacuna.Vec  of the same length
---@return number cosine  -1 to 1
function Vec:cosine(w) end

---The Euclidean length.
---@return number norm
function Vec:norm() end

---log(sum of exp(v)).
---@return number x
function Vec:logsumexp() end

---Of softmax(v).
---@return number nats
function Vec:entropy() end

---The place of an id when the values are sorted from the largest down.
---@param id integer
---@return integer rank  1 is the argmax
function Vec:rank(id) end

---The Kullback-Leibler divergence of softmax(v) from softmax(w), KL(v || w).
---@param w lacuna.Vec  of the same length
---@return number nats  infinite where w excludes what v does not
function Vec:kl(w) end

---The Jensen-Shannon divergence of softmax(v) and softmax(w).
---@param w lacuna.Vec  of the same length
---@return number nats  0 to ln 2
function Vec:jsd(w) end

---One that can be changed and does not go stale.
---@return lacuna.Vec copy
function Vec:copy() end

---Probabilities: exp(v / t), normalised.
---@param t? number  temperature, above 0; 1 by default
---@return lacuna.Vec probabilities
function Vec:softmax(t) end

---Their logarithms.
---@param t? number  temperature, above 0; 1 by default
---@return lacuna.Vec logprobs  in nats
function Vec:log_softmax(t) end

---The k largest values, best first; fewer where there are fewer above -inf.
---@param k integer
---@return integer[] ids
---@return number[] values
function Vec:topk(k) end

---The ids whose value is less than x.
---@param x number
---@return lacuna.Set set
function Vec:below(x) end

---The fewest ids, most probable first, whose probabilities reach p together.
---@param p number  0 to 1
---@return lacuna.Set set
function Vec:top_mass(p) end

---Sets every value to x.
---@param x number
---@return lacuna.Vec self
function Vec:fill(x) end

---Multiplies every value by a.
---@param a number
---@return lacuna.Vec self
function Vec:scale(a) end

---Adds a number to every value, or a vector value by value.
---@param x number|lacuna.Vec
---@return lacuna.Vec self
function Vec:add(x) end

---Adds a times w: v = v + a * w.
---@param a number
---@param w lacuna.Vec  of the same length
---@return lacuna.Vec self
function Vec:axpy(a, w) end

---Moves values outside an interval to its ends.
---@param low number
---@param high number
---@return lacuna.Vec self
function Vec:clamp(low, high) end

---Adds to single values: `v:bias { [id] = 2.5 }`.
---@param biases table<integer, number>  by id
---@return lacuna.Vec self
function Vec:bias(biases) end

---Sets the ids of the set to -inf: they cannot be drawn.
---@param set lacuna.Set
---@return lacuna.Vec self
function Vec:mask(set) end

---Sets all but the ids of the set to -inf.
---@param set lacuna.Set
---@return lacuna.Vec self
function Vec:keep(set) end

---Sets values below x to -inf.
---@param x number
---@return lacuna.Vec self
function Vec:mask_below(x) end

---Draws an id from softmax(v).
---@param rng lacuna.Rng
---@return integer id
function Vec:sample(rng) end

---Draws k ids without replacement, with their perturbed logits (Kool et al. 2019, stochastic beam search).
---@param k integer
---@param rng lacuna.Rng
---@return integer[] ids
---@return number[] values
function Vec:gumbel_topk(k, rng) end

---Makes vectors.
---@class lacuna.vec
lacuna.vec = {}

---A vector of n equal values.
---@param n integer
---@param x? number  0 by default
---@return lacuna.Vec v
function lacuna.vec.new(n, x) end

---A vector of these values; the first one has id 0.
---@param list number[]
---@return lacuna.Vec v
function lacuna.vec.of(list) end

---A set of token ids, a bit for each id: `a | b`, `a & b`, `a ~ b`, `a - b`, `~a`; `#s` counts, `s[id]` tells.
---@class lacuna.Set: userdata
---@field [integer] boolean
---@operator bor(lacuna.Set): lacuna.Set
---@operator band(lacuna.Set): lacuna.Set
---@operator bxor(lacuna.Set): lacuna.Set
---@operator sub(lacuna.Set): lacuna.Set
---@operator bnot: lacuna.Set
---@operator len: integer
local Set = {}

---Whether the id is in the set; `s[id]` is the same.
---@param id integer
---@return boolean is_in
function Set:contains(id) end

---All of them, rising.
---@return integer[] ids
function Set:ids() end

---For the generic `for`, rising.
---@return fun(): integer? next
function Set:each() end

---Puts ids in.
---@param ids integer|integer[]
---@return lacuna.Set self
function Set:add(ids) end

---Takes ids out.
---@param ids integer|integer[]
---@return lacuna.Set self
function Set:remove(ids) end

---Makes sets.
---@class lacuna.set
lacuna.set = {}

---A set over ids 0 to size - 1. For a model's vocabulary see `Vocab:set`.
---@param size integer
---@param ids? integer[]  none by default
---@return lacuna.Set set
function lacuna.set.new(size, ids) end

---A position in a stream of random numbers; every call moves it by one or two. The numbers are a function of seed,
---stream and position, and of nothing else.
---@class lacuna.Rng: userdata
---@field seed integer
---@field stream integer
---@field position integer
local Rng = {}

---A number in (low, high), both ends outside.
---@param low? number  0 by default
---@param high? number  1 by default
---@return number x
function Rng:uniform(low, high) end

---A whole number from low to high, both ends inside.
---@param low integer
---@param high integer
---@return integer n
function Rng:integer(low, high) end

---Normally distributed.
---@param mean? number  0 by default
---@param deviation? number  1 by default
---@return number x
function Rng:normal(mean, deviation) end

---One element of a list.
---@param list any[]
---@return any element
function Rng:choice(list) end

---Shuffles a list in place.
---@param list any[]
---@return any[] list  the same
function Rng:shuffle(list) end

---An independent stream: the same for the same n, whatever was drawn before.
---@param n integer
---@return lacuna.Rng fork
function Rng:fork(n) end

---The beginning of a stream.
---@param seed integer
---@param stream? integer  0 by default
---@return lacuna.Rng rng
function lacuna.rng(seed, stream) end

-- # Grammars
-- What a text may look like. A generation with a grammar cannot write anything else, and tokens that have no alternative
-- are not drawn at all.

---Compiles grammars.
---@class lacuna.grammar
lacuna.grammar = {}

---JSON texts that satisfy a JSON Schema (draft 2020-12's everyday part), given as a table or as JSON text. Properties
---come in the schema's order; a table has none: required ones first as listed, then the others by name.
---```lua
---local card <const> = assert(lacuna.grammar.json {
---  type = "object", required = { "born" }, additionalProperties = false,
---  properties = { born = { type = "integer", minimum = 1800, maximum = 2025 } },
---})
---print(card:accepts '{"born":1952}')
---```
---@param schema table|string|boolean
---@param opts? { whitespace: ("flexible"|"compact")? }
---@return lacuna.CompiledGrammar? grammar
---@return lacuna.Error? err  what the schema asks for that is not supported, and where
function lacuna.grammar.json(schema, opts) end

---GBNF, llama.cpp's notation; the rule "root" is the whole text.
---@param text string
---@return lacuna.CompiledGrammar? grammar
---@return lacuna.Error? err
function lacuna.grammar.gbnf(text) end

---Texts that the whole regular expression matches.
---@param text string
---@return lacuna.CompiledGrammar? grammar
---@return lacuna.Error? err
function lacuna.grammar.regex(text) end

---One of these texts.
---@param texts string[]
---@return lacuna.CompiledGrammar? grammar
---@return lacuna.Error? err
function lacuna.grammar.choice(texts) end

---A compiled grammar; needs no model.
---@class lacuna.CompiledGrammar: userdata
local CompiledGrammar = {}

---Whether the text is one of the grammar's; with `partial`, whether it can become one.
---@param text string
---@param opts? { partial: boolean? }
---@return boolean accepted
function CompiledGrammar:accepts(text, opts) end

---At the grammar's beginning, under a model's vocabulary: for decoding loops of your own.
---@param model lacuna.Model
---@return lacuna.Matcher matcher
function CompiledGrammar:matcher(model) end

---How far a text has come in a grammar.
---@class lacuna.Matcher: userdata
local Matcher = {}

---What may come next, for `logits:keep(set)`.
---@return lacuna.Set set
function Matcher:mask() end

---Goes on behind a token; raises for one that may not come next.
---@param id integer
---@return lacuna.Matcher self
function Matcher:accept(id) end

---Whether the text so far is whole.
---@return boolean accepting
function Matcher:is_accepting() end

---Whether the text so far is whole and nothing may follow.
---@return boolean finished
function Matcher:is_finished() end

---A second one at the same place.
---@return lacuna.Matcher fork
function Matcher:fork() end

-- # Plugins
-- What a plugin defines, and how scripts call it. docs/plugins.md tells the whole story.

---What init.lua returns.
---@class lacuna.Plugin
---@field samplers? table<string, lacuna.PluginSampler>
---@field decoders? table<string, lacuna.PluginDecoder>
---@field pipelines? table<string, lacuna.PluginPipeline>
---@field probes? table<string, lacuna.PluginProbe>
---@field templates? table<string, lacuna.PluginTemplate>
---@field tools? table<string, lacuna.PluginTool>
---@field hooks? lacuna.Hooks

---What a plugin's init.lua returns: checked, and given back as it is.
---@param plugin lacuna.Plugin
---@return lacuna.Plugin plugin
function lacuna.plugin(plugin) end

---What a parameter, input, output or argument may be.
---@class lacuna.Parameter
---@field type "number"|"integer"|"boolean"|"string"|"list"|"table"|nil  may be left out beside `enum`
---@field of "number"|"integer"|"boolean"|"string"|nil  of a list's elements; "string" by default
---@field default any?  without one, and unless `optional`, the caller must give it
---@field optional boolean?
---@field min number?
---@field max number?
---@field enum any[]?  the only values that are allowed
---@field unit string?  "tokens", "ms"
---@field description string?

---Either `apply` or `pick`.
---@class lacuna.PluginSampler
---@field description string?
---@field params table<string, lacuna.Parameter>?
---@field init? fun(params: table, ctx: { vocab: integer, model: lacuna.Model? }): table  the first state
---@field apply? lacuna.StageFunction
---@field pick? lacuna.StageFunction
---@field accept? fun(id: integer, params: table, state: table)
---@field argmax_invariant boolean?  the most probable token stays the most probable one

---@class lacuna.PluginDecoder
---@field description string?
---@field params table<string, lacuna.Parameter>?
---@field run fun(session: lacuna.Session, params: table, ctx: lacuna.PluginContext): lacuna.Session?, table|lacuna.Error|nil  the session that the caller's becomes, and what to say of the work

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
---@field measure fun(item: lacuna.ProbeItem, ctx: lacuna.MeasureContext): table?, lacuna.Error?  a record: plain data
---@field summary fun(records: table[], ctx: lacuna.SummaryContext): table

---@class lacuna.ProbeItem
---@field question string
---@field answer string
---@field paraphrased_question string?
---@field paraphrased_answer string?
---@field perturbed_answer string[]?

---@class lacuna.MeasureContext: lacuna.PluginContext
---@field seed integer  the item's own
---@field task string  "forget"
---@field row integer  in its data file, from 0
---@field split string  "forget05"
---@field original lacuna.Model?  where the probe's `models` names it
---@field reference lacuna.Model?

---@class lacuna.SummaryContext
---@field plugin string
---@field params table
---@field split string
---@field original table[]?  the records of the same rows by the original model
---@field reference table[]?
---@field format string?  in which the records were measured, where there are several
---@field formats table<string, table[]>?  the same model's records by format

---@class lacuna.PluginTemplate
---@field description string?
---@field stop string|string[]|nil  what ends the assistant's turn
---@field checkpoint boolean?  renders the checkpoint's own template, which it gets in `opts`, and writes BOS itself
---@field render fun(messages: lacuna.Message[], opts: lacuna.TemplateOptions): { text: string, special: boolean? }[]  segments; only `special` ones may hold control tokens

---Empty unless the template has `checkpoint = true`.
---@class lacuna.TemplateOptions
---@field chat_template string?  the checkpoint's, in Jinja
---@field add_generation_prompt boolean  the assistant speaks next
---@field bos_token string?
---@field eos_token string?
---@field now table?  as os.date "*t", for a template that asks for the date

---@class lacuna.PluginTool
---@field description string?
---@field params table<string, lacuna.Parameter>?
---@field run fun(args: table, ctx: lacuna.PluginContext): any, lacuna.Error?

---What run functions get as `ctx`.
---@class lacuna.PluginContext
---@field plugin string  the plugin's name
---@field seed integer
---@field model lacuna.Model
---@field params table?
---@field tool fun(ctx: lacuna.PluginContext, name: string, args: table?): any, lacuna.Error?  as `lacuna.tool`
---@field pipeline fun(ctx: lacuna.PluginContext, name: string, input: table?): table?, lacuna.Error?  as `lacuna.pipeline`
---@field render fun(ctx: lacuna.PluginContext, template: string, messages: string|lacuna.Message[]): string  as `lacuna.render`

---Runs a plugin's pipeline with the model of --model; input and output are checked against its schemas.
---@param name string  "ask", or "plugin/ask"
---@param input? table
---@return table? output
---@return lacuna.Error? err
function lacuna.pipeline(name, input) end

---Calls a plugin's tool.
---@param name string
---@param args? table
---@return any value  nil where it failed
---@return lacuna.Error? err
function lacuna.tool(name, args) end

---Messages, or one question, under a template, as text.
---@param template string
---@param messages string|lacuna.Message[]
---@param model? lacuna.Model  whose own template is meant where `template` says so
---@return string text
function lacuna.render(template, messages, model) end

-- # Data
-- JSON, statistics, texts and the log.

---JSON texts and Lua values.
---@class lacuna.json
---@field null userdata  stands for JSON's null in both directions
lacuna.json = {}

---A value as JSON text, names sorted; raises for functions, handles, cycles, NaN and infinities.
---@param value any
---@param opts? { indent: integer? }  spaces a level; 0, all on one line, by default
---@return string text
function lacuna.json.encode(value, opts) end

---The value of a JSON text.
---@param text string
---@return any? value
---@return lacuna.Error? err  "malformed", with the place
function lacuna.json.decode(text) end

---A copy marked as an array, which an empty table cannot show.
---@param list? any[]
---@return any[] array
function lacuna.json.array(list) end

---Summaries of lists of numbers; NaN where a list is too short for them.
---@class lacuna.stats
lacuna.stats = {}

---The arithmetic mean.
---@param values number[]
---@return number mean
function lacuna.stats.mean(values) end

---The harmonic mean; 0 as soon as one value is 0.
---@param values number[]
---@return number mean
function lacuna.stats.harmonic_mean(values) end

---The value below which a share of the values lies, interpolated between neighbours.
---@param values number[]
---@param share number  0 to 1; 0.5 is the median
---@return number value
function lacuna.stats.quantile(values, share) end

---The area under the ROC curve: how often a positive scores above a negative, ties counting half.
---@param positives number[]
---@param negatives number[]
---@return number area  0 to 1
function lacuna.stats.auc(positives, negatives) end

---The two-sample Kolmogorov-Smirnov test with the exact p-value; D = k / n for samples of one size n.
---@param x number[]
---@param y number[]
---@return { p: number, D: number, k: integer, n: integer, m: integer } test
function lacuna.stats.ks2(x, y) end

---Measures of texts.
---@class lacuna.text
lacuna.text = {}

---Recall of ROUGE-1 and ROUGE-L over stemmed words, as Python's rouge_score 0.1.2 counts it.
---@param target string
---@param prediction string
---@return { rouge1: number, rougeL: number } recall
function lacuna.text.rouge(target, prediction) end

---The bytes that the text takes when zlib compresses it at its default level.
---@param text string
---@return integer bytes
function lacuna.text.zlib_size(text) end

---Lines for standard error, with fields as JSON.
---@class lacuna.log
lacuna.log = {}

---Logs what only its author wants to know.
---@param message any
---@param fields? table
function lacuna.log.debug(message, fields) end

---Logs what happened.
---@param message any
---@param fields? table
function lacuna.log.info(message, fields) end

---Logs what is odd.
---@param message any
---@param fields? table
function lacuna.log.warn(message, fields) end

---Logs what failed.
---@param message any
---@param fields? table
function lacuna.log.error(message, fields) end

return lacuna
