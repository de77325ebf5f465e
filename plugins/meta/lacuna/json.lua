---@meta lacuna.json
return require("lacuna").json
