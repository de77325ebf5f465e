---@meta lacuna.test
-- What the functions of a test get as `t`, under `lacuna test` alone.

---@class lacuna.test
local test = {}
---Neither nil nor false.
---@param value any
---@param what? string
function test.ok(value, what) end
---Equal in depth.
---@param found any
---@param expected any
---@param what? string
function test.equal(found, expected, what) end
---Equal in depth, numbers up to a tolerance.
---@param found any
---@param expected any
---@param tolerance? number  1e-6
---@param what? string
function test.near(found, expected, tolerance, what) end
---The message of what the function raises, which must hold `part`.
---@param fn fun()
---@param part? string
---@return string
function test.raises(fn, part) end
---A small real engine: what follows each piece is a row of logits. Ids 0, 1 and 2 are "<s>", "</s>" and "<unk>".
---`early` has the rows behind layer 0, for `session:lens(0)`; without it they are those of `next`.
---`chat_template` is the model's own, as Jinja.
---@param opts { vocab: string[], next: table<string, table<string, number>>?, early: table<string, table<string, number>>?, floor: number?, context: integer?, name: string?, chat_template: string? }
---@return lacuna.Model
function test.model(opts) end
---@class lacuna.TestProbe
---@field items table[]?            rows to measure; needs `model`, and the models that the probe names
---@field records table[]?          in place of items: records to sum up
---@field model lacuna.Model?
---@field params table?
---@field original lacuna.Model|table[]|nil   a model to measure beside, or its records
---@field reference lacuna.Model|table[]|nil
---@field formats table<string, table[]>?  records by format
---@field format string?
---@field task string?              "forget" by default
---@field split string?
---@field seed integer?
---@field summary boolean?          false: records alone
---What a plugin's probe measures and makes of it, without a run.
---@param name string
---@param opts lacuna.TestProbe
---@return { records: table[], summary: table? }
function test.probe(name, opts) end
---@class lacuna.TestSteps
---@field tokens integer[]?  those before
---@field prompt integer?    how many of them are the prompt's; all by default
---@field seed integer?
---@field stream integer?
---What a filter leaves of hand-made logits: a probability for each id, from id 0 on.
---@param stage lacuna.Stage
---@param logits number[]|lacuna.Vec
---@param opts? lacuna.TestSteps
---@return number[]
function test.filter(stage, logits, opts) end
---The ids that a chain draws from rows of logits, one after the other.
---@param chain lacuna.Stage[]|lacuna.Chain|string
---@param rows number[][]
---@param opts? lacuna.TestSteps
---@return integer[]
function test.draw(chain, rows, opts) end

return test
