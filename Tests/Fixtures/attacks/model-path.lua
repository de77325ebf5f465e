-- A model by a path.
-- expect: error names models
-- needs: host
require "lacuna".model "/etc"
