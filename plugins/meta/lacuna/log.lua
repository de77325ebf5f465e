---@meta lacuna.log
return require("lacuna").log
