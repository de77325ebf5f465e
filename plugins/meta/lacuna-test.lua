---@meta lacuna.test
-- What the functions of a test get as `t`, under `lacuna test` alone.

-- # Tests
-- A test file is called test.lua or NAME_test.lua and returns functions by name: each gets this as `t`, and fails where
-- it raises an error.

---@class lacuna.test
local test = {}

---Neither nil nor false.
---@param value any
---@param what? string  for the message
function test.ok(value, what) end

---Equal in depth.
---@param found any
---@param expected any
---@param what? string  for the message
function test.equal(found, expected, what) end

---Equal in depth, numbers up to a tolerance.
---@param found any
---@param expected any
---@param tolerance? number  1e-6 by default
---@param what? string  for the message
function test.near(found, expected, tolerance, what) end

---The message of what the function raises, which must hold `part`.
---@param fn fun()
---@param part? string
---@return string message
function test.raises(fn, part) end

---@class lacuna.TestModel
---@field vocab string[]  the pieces behind "<s>", "</s>" and "<unk>", which are ids 0, 1 and 2
---@field next table<string, table<string, number>>?  the logits of what follows a piece, by piece
---@field early table<string, table<string, number>>?  the rows behind layer 0, for `session:lens(0)`; those of `next` by default
---@field floor number?  the logit of all others; -20 by default
---@field context integer?
---@field name string?
---@field chat_template string?  the model's own, as Jinja

---A small real engine: what follows each piece is a row of logits that you wrote. It takes a millisecond to make, and has
---sessions, forks, scores and all the rest.
---@param opts lacuna.TestModel
---@return lacuna.Model model
function test.model(opts) end

---@class lacuna.TestProbe
---@field items table[]?  rows to measure; needs `model`, and the models that the probe names
---@field records table[]?  in place of items: records to sum up
---@field model lacuna.Model?
---@field params table?
---@field original lacuna.Model|table[]|nil  a model to measure beside, or its records
---@field reference lacuna.Model|table[]|nil
---@field formats table<string, table[]>?  records by format
---@field format string?
---@field task string?  "forget" by default
---@field split string?
---@field seed integer?
---@field summary boolean?  false: records alone

---What a plugin's probe measures and makes of it, without a run.
---@param name string
---@param opts lacuna.TestProbe
---@return { records: table[], summary: table? } result
function test.probe(name, opts) end

---@class lacuna.TestSteps
---@field tokens integer[]?  those before
---@field prompt integer?  how many of them are the prompt's; all by default
---@field seed integer?
---@field stream integer?

---What a filter leaves of hand-made logits: a probability for each id, from id 0 on.
---@param stage lacuna.Stage
---@param logits number[]|lacuna.Vec
---@param opts? lacuna.TestSteps
---@return number[] probabilities  at 1 the one of id 0
function test.filter(stage, logits, opts) end

---The ids that a chain draws from rows of logits, one after the other.
---@param chain lacuna.Stage[]|lacuna.Chain|string
---@param rows number[][]
---@param opts? lacuna.TestSteps
---@return integer[] ids
function test.draw(chain, rows, opts) end

return test
