-- A module by a path.
-- expect: error words joined by dots
require "../../etc/passwd"
