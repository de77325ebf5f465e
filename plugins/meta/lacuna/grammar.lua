---@meta lacuna.grammar
return require("lacuna").grammar
