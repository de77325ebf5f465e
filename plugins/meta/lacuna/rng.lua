---@meta lacuna.rng
return require("lacuna").rng
