---@meta lacuna.text
return require("lacuna").text
