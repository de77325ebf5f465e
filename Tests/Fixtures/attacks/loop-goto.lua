-- An endless loop without a loop statement.
-- expect: limit call
::again:: goto again
