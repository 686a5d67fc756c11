"""Laboratories write the same stain in many ways; the archive keeps one word for each, from a closed list.

What is not in the list is not kept: a stain column is a place where people write other things. Reading ignores case,
spaces and punctuation, so ``h & e``, ``H+E`` and ``HE`` are one stain.
"""

import unicodedata
from enum import StrEnum


class Stain(StrEnum):
    """A stain, or the marker or dye of antibodies or fluorescence; ``aliases`` are other ways to write it."""

    aliases: tuple[str, ...]

    def __new__(cls, name: str, *aliases: str) -> "Stain":
        """Make a member whose value is its name."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.aliases = aliases
        return member

    @classmethod
    def parse(cls, text: str) -> "Stain | None":
        """Find a stain as people write it; None if the list does not have it."""
        return _BY_SPELLING.get(_spelling(text))

    # Histology
    HE = (
        "H&E",
        *("HE", "HES", "H and E", "H&E stain", "haematoxylin eosin", "haematoxylin and eosin", "haematoxylin & eosin"),
        *("hematoxylin eosin", "hematoxylin and eosin", "hematoxylin & eosin"),
    )
    PAS = "PAS", "periodic acid Schiff", "periodic acid-Schiff stain"
    PAS_DIASTASE = "PAS-D", "PAS diastase", "DPAS", "D-PAS", "PAS with diastase"
    ALCIAN_BLUE = "Alcian blue", "AB"
    ALCIAN_BLUE_PAS = "Alcian blue PAS", "AB-PAS", "ABPAS", "AB/PAS"
    MUCICARMINE = "Mucicarmine", "Mayer mucicarmine"
    MASSON_TRICHROME = "Masson trichrome", "Masson", "trichrome", "Masson's trichrome"
    MARTIUS_SCARLET_BLUE = "MSB", "Martius scarlet blue"
    VAN_GIESON = "Van Gieson", "VG"
    ELASTIC_VAN_GIESON = "Elastic van Gieson", "EVG", "elastica van Gieson", "Verhoeff van Gieson", "VVG"
    SIRIUS_RED = "Sirius red", "picrosirius red", "PSR"
    RETICULIN = "Reticulin", "reticulin silver", "Gordon and Sweet", "Gomori reticulin"
    SILVER_METHENAMINE = "Methenamine silver", "PAMS", "Jones", "Jones silver", "JMS"
    GROCOTT = "Grocott", "GMS", "Grocott methenamine silver"
    WARTHIN_STARRY = "Warthin-Starry", "WS"
    GIEMSA = "Giemsa", "May-Grunwald-Giemsa", "MGG", "modified Giemsa"
    GRAM = "Gram", "Gram Twort", "Brown and Brenn"
    ZIEHL_NEELSEN = "Ziehl-Neelsen", "ZN", "AFB"
    WADE_FITE = "Wade-Fite", "Fite"
    CONGO_RED = "Congo red", "CR"
    PERLS = "Perls", "Perls Prussian blue", "Prussian blue", "Perls iron", "iron"
    VON_KOSSA = "Von Kossa", "VK"
    ORCEIN = "Orcein", "Shikata"
    RHODANINE = "Rhodanine", "copper"
    FONTANA_MASSON = "Masson-Fontana", "Fontana-Masson", "Fontana"
    TOLUIDINE_BLUE = "Toluidine blue", "TB"
    LUXOL_FAST_BLUE = "Luxol fast blue", "LFB", "Kluver-Barrera", "Klüver-Barrera"
    BIELSCHOWSKY = "Bielschowsky"
    NISSL = "Nissl", "cresyl violet"
    OIL_RED_O = "Oil red O", "ORO"
    PAPANICOLAOU = "Papanicolaou", "Pap"
    DIFF_QUIK = "Diff-Quik", "Diffquik", "Romanowsky"
    HAEMATOXYLIN = "Haematoxylin", "hematoxylin"
    UNSTAINED = "Unstained", "none", "blank"

    # Immunohistochemistry and in-situ hybridisation
    AE1_AE3 = "AE1/AE3", "pancytokeratin", "pan-CK", "CK AE1/AE3", "MNF116"
    ALK = "ALK"
    AMACR = "AMACR", "P504S"
    ATRX = "ATRX"
    BCL2 = "BCL2"
    BCL6 = "BCL6"
    BEREP4 = "BerEP4", "EpCAM"
    BETA_CATENIN = "Beta-catenin", "β-catenin"
    CALRETININ = "Calretinin"
    CAM52 = "CAM5.2"
    CD3 = "CD3"
    CD4 = "CD4"
    CD5 = "CD5"
    CD8 = "CD8"
    CD10 = "CD10"
    CD15 = "CD15"
    CD20 = "CD20"
    CD21 = "CD21"
    CD23 = "CD23"
    CD30 = "CD30"
    CD31 = "CD31"
    CD34 = "CD34"
    CD45 = "CD45", "LCA"
    CD56 = "CD56"
    CD61 = "CD61"
    CD68 = "CD68"
    CD79A = "CD79a"
    CD117 = "CD117", "c-kit"
    CD138 = "CD138"
    CDX2 = "CDX2"
    CHROMOGRANIN = "Chromogranin A", "chromogranin", "CgA"
    CK5_6 = "CK5/6", "cytokeratin 5/6"
    CK7 = "CK7", "cytokeratin 7"
    CK20 = "CK20", "cytokeratin 20"
    CYCLIN_D1 = "Cyclin D1"
    D2_40 = "D2-40", "podoplanin"
    DESMIN = "Desmin"
    DOG1 = "DOG1"
    EBER = "EBER", "EBV ISH", "EBER ISH"
    E_CADHERIN = "E-cadherin"
    EMA = "EMA"
    ER = "ER", "oestrogen receptor", "estrogen receptor"
    GATA3 = "GATA3"
    GFAP = "GFAP"
    HER2 = "HER2", "HER-2/neu", "c-erbB-2"
    HMB45 = "HMB45"
    IDH1_R132H = "IDH1 R132H", "IDH1"
    KAPPA = "Kappa"
    KI67 = "Ki-67", "MIB-1"
    LAMBDA = "Lambda"
    MELAN_A = "Melan-A", "MART-1"
    MLH1 = "MLH1"
    MSH2 = "MSH2"
    MSH6 = "MSH6"
    NAPSIN_A = "Napsin A"
    NKX3_1 = "NKX3.1"
    P16 = "p16"
    P40 = "p40"
    P53 = "p53"
    P63 = "p63"
    PAX8 = "PAX8"
    PD_L1 = "PD-L1"
    PMS2 = "PMS2"
    PR = "PR", "progesterone receptor", "PgR"
    PSA = "PSA"
    S100 = "S100"
    SMA = "SMA", "smooth muscle actin", "alpha-SMA"
    SOX10 = "SOX10"
    SYNAPTOPHYSIN = "Synaptophysin"
    TTF1 = "TTF-1"
    VIMENTIN = "Vimentin"
    WT1 = "WT1"

    # Fluorescence
    IMMUNOFLUORESCENCE = "Immunofluorescence", "IF", "direct immunofluorescence", "DIF", "fluorescence"
    MULTIPLEX = "Multiplex immunofluorescence", "mIF", "multiplex", "multiplexed immunofluorescence"
    DAPI = "DAPI"
    FISH = "FISH", "fluorescence in situ hybridisation", "fluorescence in situ hybridization"
    C1Q = "C1q"
    C3 = "C3"
    C4D = "C4d"
    FIBRINOGEN = "Fibrinogen"
    IGA = "IgA"
    IGG = "IgG"
    IGM = "IgM"


def _spelling(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in folded if character.isalnum())


_BY_SPELLING = {_spelling(text): stain for stain in Stain for text in (stain.value, *stain.aliases)}
