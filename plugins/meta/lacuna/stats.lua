---@meta lacuna.stats
return require("lacuna").stats
