---@meta lacuna.sampler
return require("lacuna").sampler
