"""The emission lines that QuasarNET looks for, in the order of its heads.

The order is part of the weights file: head i is line i, and nothing in a published file names the lines.
Rest wavelengths are those of the networks' training code (QuasarNET and QuasarNP, table ``absorber_IGM``),
bit for bit: a changed value would shift every redshift of existing weights. Hbeta is vacuum-like (not
4861.3 Å) and Halpha is the air value (not 6564.6 Å); both are kept as they are.
"""

LINES: tuple[tuple[str, float], ...] = (
    ("LYA", 1215.67),
    ("CIV(1548)", 1548.2049),
    ("CIII(1909)", 1908.734),
    ("MgII(2796)", 2796.3511),
    ("Hbeta", 4862.68),
    ("Halpha", 6562.8),
)
"""The six voting lines: name as QuasarNP spells it, rest wavelength in Å."""

BAL_LINES: tuple[tuple[str, float], ...] = (("CIV(1548)", 1548.2049),)
"""The broad-absorption-line head, last of the seven; it never votes on what is a quasar."""

LINE_NAMES: tuple[str, ...] = ("LYA", "CIV", "CIII", "MgII", "Hbeta", "Halpha")
"""Short names of the six lines, as in the columns C_LYA … Z_Halpha of DESI's tables."""

N_LINES = len(LINES)
N_HEADS = len(LINES) + len(BAL_LINES)
