-- An error message that would move the cursor.
-- expect: error \x1B[2J
error("\27[2J\0", 0)
