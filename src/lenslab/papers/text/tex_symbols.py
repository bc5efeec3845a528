"""TeX's letters and signs as Unicode: what arXiv shows for them outside of formulas."""

import unicodedata

# The combining character of each accent command.
ACCENTS = {
    "`": "\u0300",
    "'": "\u0301",
    "^": "\u0302",
    "~": "\u0303",
    "=": "\u0304",
    "u": "\u0306",
    ".": "\u0307",
    '"': "\u0308",
    "r": "\u030a",
    "H": "\u030b",
    "v": "\u030c",
    "d": "\u0323",
    "c": "\u0327",
    "k": "\u0328",
    "b": "\u0331",
}

_GREEK = (
    "alpha:α beta:β gamma:γ delta:δ epsilon:ε varepsilon:ε zeta:ζ eta:η theta:θ vartheta:ϑ iota:ι kappa:κ lambda:λ "
    "mu:μ nu:ν xi:ξ pi:π rho:ρ sigma:σ tau:τ upsilon:υ phi:φ varphi:φ chi:χ psi:ψ omega:ω Gamma:Γ Delta:Δ "
    "Theta:Θ Lambda:Λ Xi:Ξ Pi:Π Sigma:Σ Upsilon:Υ Phi:Φ Psi:Ψ Omega:Ω ell:ℓ"
)
_LETTERS = "ss:ß o:ø O:Ø l:ł L:Ł ae:æ AE:Æ oe:œ OE:Œ aa:å AA:Å i:ı j:ȷ dh:ð DH:Ð th:þ TH:Þ dj:đ DJ:Đ ng:ŋ NG:Ŋ"
_SIGNS = (
    "times:× pm:± mp:∓ cdot:· leq:≤ le:≤ geq:≥ ge:≥ neq:≠ ne:≠ approx:≈ sim:∼ simeq:≃ equiv:≡ infty:∞ to:→ "
    "rightarrow:→ leftarrow:← leftrightarrow:↔ Rightarrow:⇒ in:∈ notin:∉ subset:⊂ cup:∪ cap:∩ partial:∂ nabla:∇ sum:∑ "
    "prod:∏ int:∫ ll:≪ gg:≫ propto:∝ circ:∘ ast:∗ dagger:† ddagger:‡ dag:† S:§ P:¶ copyright:© pounds:£ degree:° "
    "ldots:… dots:… cdots:… textellipsis:… textendash:– textemdash:— textquoteright:’ textquoteleft:‘ textasciitilde:~ "
    "textasciicircum:^ textbackslash:\\ textregistered:® texttrademark:™ textdegree:° textmu:µ slash:/ forall:∀ "
    "exists:∃ langle:⟨ rangle:⟩ bullet:• star:⋆ odot:⊙ oplus:⊕ otimes:⊗ boxtimes:⊠ mapsto:↦ "
    "leftrightarrow:↔ prime:′ gtrsim:≳ lesssim:≲ "
    "perp:⊥ parallel:∥ wedge:∧ vee:∨ aleph:ℵ hbar:ħ wp:℘ Re:ℜ Im:ℑ setminus:∖ supset:⊃ subseteq:⊆ emptyset:∅ mid:| "
    "deg:° degC:°C micron:µm eg:e.g. ie:i.e. etc:etc. iff:⇔ longrightarrow:⟶ uparrow:↑ downarrow:↓ gtr:> lt:< gt:>"
)
# LaTeX's own text symbols (the package textcomp, part of the kernel since 2020), and those of T1.
_TEXT_SIGNS = (
    "textacutedbl:˝ textasciiacute:´ textasciibreve:˘ textasciicaron:ˇ textasciidieresis:¨ textasciigrave:` "
    "textasciimacron:¯ textasteriskcentered:∗ textbaht:฿ textbardbl:‖ textbigcircle:◯ textblank:␢ textborn:★ "
    "textbraceleft:{ textbraceright:} textbrokenbar:¦ textbullet:• textcelsius:℃ textcent:¢ textcentoldstyle:¢ "
    "textcircledP:℗ textcolonmonetary:₡ textcopyleft:🄯 textcopyright:© textcurrency:¤ textdagger:† textdaggerdbl:‡ "
    "textdblhyphen:⸗ textdied:✝ textdiscount:⁒ textdiv:÷ textdivorced:⚮ textdollar:$ textdong:₫ textdownarrow:↓ "
    "texteightoldstyle:8 textestimated:℮ texteuro:€ textexclamdown:¡ textflorin:ƒ textfractionsolidus:⁄ textgravedbl:˵ "
    "textguarani:₲ textinterrobang:‽ textinterrobangdown:⸘ textlangle:〈 textlbrackdbl:⟦ textleaf:❧ textleftarrow:← "
    "textlira:₤ textlnot:¬ textlquill:⁅ textmarried:⚭ textmho:℧ textminus:− textmusicalnote:♪ textnaira:₦ textnumero:№ "
    "textohm:Ω textonehalf:½ textonequarter:¼ textonesuperior:¹ textopenbullet:◦ textordfeminine:ª textordmasculine:º "
    "textparagraph:¶ textperiodcentered:· textpertenthousand:‱ textperthousand:‰ textpeso:₱ textpilcrow:¶ textpm:± "
    "textquestiondown:¿ textquotedbl:\" textquotedblleft:“ textquotedblright:” textquotesingle:' "
    "textquotestraightbase:‚ textquotestraightdblbase:„ textrangle:〉 textrbrackdbl:⟧ textrecipe:℞ textreferencemark:※ "
    "textrightarrow:→ "
    "textrquill:⁆ textschwa:ə textsection:§ textservicemark:℠ textsterling:£ textsurd:√ textthreequarters:¾ "
    "textthreequartersemdash:— textthreesuperior:³ texttildelow:˷ texttimes:× texttwelveudash:– texttwosuperior:² "
    "textuparrow:↑ textvisiblespace:␣ textwon:₩ textyen:¥ guillemotleft:« guillemotright:» guillemetleft:« "
    'guillemetright:» guilsinglleft:‹ guilsinglright:› quotesinglbase:‚ quotedblbase:„ euro:€ EUR:€ textquotedbl:"'
)
# Words that formulas set upright.
_NAMES = "log ln exp sin cos tan sinh cosh tanh lim sup inf max min dim ker det gcd arg argmax argmin Pr"
LETTERS: dict[str, str] = dict(entry.split(":", 1) for entry in _LETTERS.split())
SYMBOLS: dict[str, str] = LETTERS | dict(entry.split(":", 1) for entry in f"{_GREEK} {_SIGNS} {_TEXT_SIGNS}".split())
SYMBOLS |= {name: name for name in _NAMES.split()} | {"etal": "et al.", "item": " ", "thinspace": " "}
SYMBOLS |= {"LaTeX": "LaTeX", "TeX": "TeX", "BibTeX": "BibTeX", "quad": " ", "qquad": " ", "space": " ", "newline": " "}
SYMBOLS |= {"par": " ", "linebreak": " ", "textbar": "|", "textless": "<", "textgreater": ">", "textunderscore": "_"}

# A backslash before one of these characters stands for what is on the right.
ESCAPED = {character: character for character in "%&$#_{}()[]|"}
ESCAPED |= dict.fromkeys("\\ \n\t;:", " ") | dict.fromkeys("!-/@", "") | {",": "\u2009"}


def accented(accent: str, letter: str) -> str:
    """Compose one letter with an accent, where Unicode has such a character.

    Example:
        >>> accented("'", "e"), accented("v", "s"), accented('"', "ı")
        ('é', 'š', 'ï')
    """
    # An accent replaces the dot, so TeX writes \\"{\\i} for what Unicode composes from a dotted i.
    letter = {"ı": "i", "ȷ": "j"}.get(letter, letter)
    return unicodedata.normalize("NFC", letter + ACCENTS[accent])
