---@meta lacuna.set
return require("lacuna").set
