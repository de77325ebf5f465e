-- Modules of the system.
-- expect: error not found
require "socket.core"
