"""The language that instructions are written in: typed values, operations, encodings. It knows no guest, no engine."""
