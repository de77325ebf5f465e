---@meta lacuna.vec
return require("lacuna").vec
