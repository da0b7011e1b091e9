"""Admission: plugins that complete or refuse an object after it was decoded and before it is stored."""
