-- An endless loop of one instruction.
-- expect: limit call
while true do end
