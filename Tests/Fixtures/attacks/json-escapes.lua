-- A text that grows sixfold as JSON.
-- expect: error cannot pass
-- needs: host
require "lacuna".json.encode(("\1"):rep(1 << 20))
