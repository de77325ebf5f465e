-- Switching the collector off.
-- expect: error collectgarbage
collectgarbage "stop"
