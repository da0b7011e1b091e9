"""Start-up without a package that costs more than a second and that nothing here needs.

``jsonschema`` imports ``rfc3987_syntax`` if it is there, which builds some thirty grammars at import, to check formats
(``iri``, ``iri-reference``) that no schema of Jupyter uses.  Marking it as absent before the first import of jsonschema
leaves everything else as it is.  The command line does so first of all, and pytest as an early plugin (``-p``).
"""

from __future__ import annotations

import sys

_absent: dict[str, None] = {"rfc3987_syntax": None}
sys.modules.update(_absent)  # type: ignore[arg-type]
