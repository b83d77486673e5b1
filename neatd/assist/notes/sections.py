"""What a heading says of the words below it: the kind of record, whether it is done, when it is to be done. Pure.

A heading tells something when most of its words are words that headings of that kind are made of: "Key decisions made
this session" is one, "Fixed the decision tree" is not.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from neatd.assist.notes.plain import plain


class Meaning(NamedTuple):
    """What a heading tells. `share` is the part of its words that were understood, `is_weak` that a parent knows better."""

    kind: str = ""
    status: str = ""
    share: float = 0.0
    is_weak: bool = False


class Rule(NamedTuple):
    """Words of one kind. The first rule with a word in the heading decides."""

    kind: str
    status: str
    is_weak: bool
    words: re.Pattern[str]


def _rule(kind: str, words: str, status: str = "", is_weak: bool = False) -> Rule:
    return Rule(kind, status, is_weak, re.compile(rf"(?<![\w])(?:{words})(?![\w])"))


# The order matters: "next session priorities" are tasks and no session, "known issues and limitations" are bugs.
_RULES = (
    _rule("session", r"session (?:complete|summary|notes?|log|report|handoff|handover|end|info|metadata|details|date|overview|wrap[- ]?up)|(?:cross|previous|last|this)[- ]session (?:notes?|summary|context)|uncommitted(?: changes| files| work)?|(?:git )?working (?:tree|directory)(?: state| status)?"),
    _rule("assessment", r"context for (?:the )?next(?: session| agent)?|(?:task|to-?do|work|item|feature) status"),
    _rule("insight", r"(?:machine|deep|transfer|reinforcement|test-time|federated|active|meta|representation) learning"),
    _rule("insight", r"error analysis|failure analysis|common (?:issues|problems|errors|mistakes|pitfalls)|troubleshooting|gotchas?|pitfalls?"
                     r"|quirks|faq|edge cases|performance (?:issues|problems)|debugging(?: tips| notes)?"),
    _rule("style", r"code[- ]style|coding[- ](?:style|standards?|conventions?|guidelines|rules|practices)|style(?: guides?| guidelines)?|naming(?: conventions?)?"
                   r"|formatting(?: rules)?|code (?:conventions|formatting|quality|standards|guidelines)|error handling|docstrings?|type (?:hints|safety|annotations)"
                   r"|(?:python|typescript|rust|go|java|c\+\+|react|css|javascript) (?:style|conventions|guidelines|standards)|import (?:order|style|conventions)"),
    _rule("hypothesis", r"hypothes[ie]s|predictions?|theories|conjectures?"),
    _rule("decision", r"decisions?|decision (?:log|record)s?|decided|adrs?|design choices|tech(?:nical)? choices|why we chose|decisions log|resolved questions"),
    _rule("lesson", r"lessons?|lessons learned|learned|learnt|learnings|retrospectives?|retro|reflections?|post-?mortems?|takeaways?"
                    r"|what (?:worked|didnt|went)(?: (?:work|well|wrong|badly))?|(?:dont|do not) repeat|dead ends?|failed (?:approaches|attempts|experiments)|what (?:failed|doesnt work)|did not work"),
    _rule("challenge", r"challenges?|risks?|open questions?|unanswered questions?|open issues|blockers?|concerns?|unknowns|limitations?|known limitations"
                       r"|(?:technical|tech) debt|unresolved(?: questions?| issues)?|questions?|uncertainties|threats|weaknesses"),
    _rule("task", r"blocked(?: on| by| items| tasks)?|waiting(?: on| for)?", "blocked"),
    _rule("task", r"future fix(?:es)?|bugs? to fix|fix(?:es)? needed|fix ?list|to fix|(?:issues|problems|bugs|fixes) to (?:address|resolve)"),
    _rule("bug", r"(?:fixed|resolved|closed|solved) (?:bugs?|issues?|problems?)|(?:bugs?|issues?|problems?) (?:\w+ )?(?:fixed|resolved|solved)|bug ?fix(?:es)?|fix(?:es)?(?: applied| made)?|fixed|resolved", "fixed"),
    _rule("bug", r"bugs?|known (?:issues?|bugs?|problems?)|issues?|problems?|errors?|defects?|regressions?|crash(?:es)?|incidents?|whats broken|broken"),
    _rule("test", r"test(?:s|ing)? (?:status|results?|state|runs?|summary|counts?)|tests? (?:passed|passing|failing)|test suite(?: status| results?)?|last test run|ci status|build status"),
    _rule("preference", r"always do(?: this)?|always|never(?: do)?|red lines|(?:user |my |team |personal )?preferences?|dos and donts|donts?|do nots?|guardrails?|golden rules?|hard rules|(?:critical|important|key|core|general|global|project|operating|behavioral|safety|security|git|commit|testing|development|workflow|documentation|communication|agent|ai|mandatory|non-negotiable|absolute|cardinal|iron) (?:rules?|instructions?|guidelines|principles|constraints|policy|policies|conventions?|requirements|practices|standards|reminders?|etiquette)"
                        r"|rules?|instructions?|guidelines|principles|philosophy|constraints|conventions?|best practices|polic(?:y|ies)|etiquette|expectations|working agreement|(?:what )?not to do|prohibited|forbidden|mandatory|reminders?|anti-?patterns?"
                        r"|commit (?:messages?|style|format)|pull requests?|prs?|pr (?:guidelines|process)|branching(?: strategy)?|(?:git|development|dev|agent|commit|session|review) workflow|version control|code review|boundaries|collaboration|persona|tone|standards|protocols?"),
    _rule("insight", r"(?:feature|data|model|code|api) (?:importance|flow)|important (?:notes?|context|details|considerations)|key (?:notes|considerations|concepts|facts)"),
    _rule("preference", r"important|critical|must(?: read| follow)?|attention|warnings?", is_weak=True),
    _rule("goal", r"goals?|objectives?|vision|mission|success (?:criteria|metrics?)|acceptance criteria|definition of done|targets?|aims?|(?:core|functional|project|key|product|business|non-functional|user) requirements|non-goals|out of scope|scope|problem statement|north star|desired outcomes?"),
    _rule("command", r"commands?(?: to run| reference)?|(?:build|test|run|lint|dev|development|useful|common|key|essential|quick|setup|cli) (?:and \w+ )?commands?|cheat ?sheet|how to (?:run|build|test|use|start|resume|reproduce|deploy|verify|continue)(?: \w+)?|quick ?(?:start|reference|commands)(?: card| guide)?"
                     r"|getting started|(?:build|run|test|lint)(?: and (?:build|run|test|lint))+|build(?:ing)? (?:and|test|run)|cli(?: usage| reference)?|usage(?: examples?)?|running(?: \w+)?|useful snippets|verification (?:commands?|steps)|restart (?:commands?|instructions)|resume (?:commands?|instructions)|install(?:ation|ing)?(?: instructions)?|to (?:resume|run|reproduce|restart)|reproduc(?:e|tion|ibility)"),
    _rule("command", r"build(?:ing)?|testing|tests?|run|setup|set ?up|development(?: setup| environment)?|local development|deploy(?:ment|ing)?|scripts?|lint(?:ing)?|development|dev setup|make targets|tooling|debugging|prerequisites|smoke tests?", is_weak=True),
    _rule("experiment", r"experiments?|experiment (?:log|results|table|history|progress|tracker)|hpo|hyper-?parameter (?:search|sweep|tuning|optimi[sz]ation)|sweeps?|trials?|ablations?(?: study| studies)?|leaderboard|(?:training|experiment|eval|evaluation|benchmark|finished|completed|active|running|past|previous) runs?|runs|run (?:log|history|table)|benchmarks?|queue|queued(?: for)?|baselines?|(?:model )?comparison|studies|submissions?"),
    _rule("task", r"(?:current(?:ly)? )?in[- ]progress|wip|work in progress|active tasks?|(?:currently )?working on|ongoing(?: work| tasks)?|current (?:task|sprint|work)s?|doing|started", "in progress"),
    _rule("task", r"next(?: steps?| actions?| tasks?| up| session| priorities| milestones?)?|to-?dos?|to do|pending|priorit(?:y|ies)|upcoming|backlog|roadmap|remaining(?: work| tasks?| items)?|action items?|should|follow[- ]?ups?|not (?:yet )?(?:done|started|implemented|complete)|incomplete|left to (?:do|build)|whats (?:next|left|missing|remaining)|what (?:remains|is next|is left|needs)|(?:still )?needs? (?:doing|work)|outstanding|unfinished|planned(?: work| features| next)?|future (?:work|plans?|improvements?|enhancements?|tasks?|directions?|ideas|steps)|immediate(?:ly)?|short[- ]term|medium[- ]term|mid[- ]term|long[- ]term|someday|nice to have|deferred|open (?:tasks?|items|todos?|work)|task (?:list|breakdown|queue)|tasks?|checklist|improvements to (?:make|consider)|work items|recommendations?|recommended|suggested|suggestions|plan|action plan|implementation (?:plan|steps|order|tasks|phases)|milestones?|sprints?|deliverables|subtasks|user stories|stories|epics?|planning|ideas"),
    _rule("change", r"files? (?:\w+ )?(?:created|modified|changed|updated|added|touched|deleted|edited|removed)|(?:new|modified|changed|updated|created|touched) (?:files?|scripts?|modules?)|files? changes|(?:code |recent |notable |key |breaking |major |minor |latest |other )?changes|changed|change ?log|whats (?:new|changed)|what (?:changed|i changed|we changed)|release notes|unreleased|version history|commits?(?: made| this session| log| history)?|recent commits|git commits|before after|refactor(?:ing|ed|s)?|modifications?|modified|updated|created|added|removed|deprecated|migrations?|memory (?:entities|updates?)|entities (?:updated|created)|implementation (?:summary|details)|improvements|enhancements|new features?|features? (?:added|implemented)|new capabilities|fixes and improvements|updates?|impact(?: metrics)?|optimi[sz]ations?"),
    _rule("task", r"completed?(?: work| tasks?| items| features| milestones?| phases?| steps?)?|done|accomplish(?:ed|ments?)|achiev(?:ed|ements?)|finished|what (?:was|we|i|got|has been|has|ive|weve|is) (?:\w+ )?(?:done|did|built|accomplished|completed|implemented|achieved|finished|complete)|work (?:done|completed|performed)|shipped|delivered|(?:recent|recently) (?:completed|work|activity|done|accomplishments)|recent progress|progress (?:made|this session|today)|implemented|whats (?:done|complete|completed|been done|finished)|wins|highlights|milestones reached|archive[d]?|today|yesterday|this session", "done"),
    _rule("data", r"data versions?|manifests?|datasets?|data (?:sources?|registr\w+|files|splits?|inventory|sets?)|training data|splits"),
    _rule("machine", r"vms?|vm (?:connection|access|info|details)|machines?|hardware(?: \w+)?|gpus?|gpu (?:server|cluster|setup|info|node)|servers?|server (?:info|access|details|connection)|ssh(?: \w+)?|remote (?:hosts?|access|servers?|machines?)|compute(?: resources| environment)?|hosts?|cluster(?: info)?|connection(?: info| details)?|instances?|cloud instances?|pods?|workstation|nodes?"),
    _rule("service", r"services?(?: running| status)?|running (?:services|processes)|endpoints|ports(?: and services)?|daemons?|background processes"),
    _rule("phase", r"project phase|current phase|phase status"),
    _rule("insight", r"insights?|key insights?|observations?|findings?|discover(?:y|ies|ed)|analysis|pattern analysis|patterns|results?|key results?|outcomes?|conclusions?|implications|benefits?(?: summary)?|capabilities|interpretations?|measurements?|metrics|knowledge(?: base)?|facts|tips(?: and tricks)?|tricks|hints|caveats|insight log|examples? seen|detection examples|rationale|reason(?:ing)?|why(?: this matters| it matters)?|remember|useful (?:info|information|notes)|nuances|research(?: notes| findings)?|literature|related work|background|strengths|wisdom|notable|evidence"),
    _rule("assessment", r"current (?:project |system |overall |implementation )?(?:status|state|focus|situation|assessment|position|progress|understanding|work focus|context)|project (?:status|state|health)|(?:system|overall|final|implementation|environment|training|deployment|resource|feature|component|task|module|session|model|experiment|quick|live) (?:status|state|health)|status(?: summary| overview| update| report)?|state|assessment|health|where (?:we|things|i) (?:are|stand|left off)|tl ?dr|executive summary|situation|active context|work focus|progress(?: summary| tracking| report| overview)?|whats working|what works|working(?: features)?|resource usage|context for next(?: session| agent)?|context|focus|snapshot|bottom line|conclusions?|verdict|summary|evaluation"),
    _rule("document", r"(?:key|important|relevant|critical|main|core|reference|related|source|config(?:uration)?|essential|notable|entry) (?:files?|docs?|documents?|documentation|links?|paths?|references?|points?)|reading (?:list|order)|further reading|required reading|must[- ]read|see also|read (?:first|these|next)|where to (?:find|look)|documentation (?:index|map|files)|(?:plan|design|spec) (?:docs?|documents?|files?)|file (?:locations?|map|index|reference|paths)|file[- ]by[- ]file|imports?"),
    _rule("insight", r"(?:\w+ )?architecture(?: \w+)?|(?:project |code |system |high[- ]level |architecture |technical |product |repo |repository )?overview|(?:project|directory|folder|file|code|repo|repository|codebase|module|package|data|crate|workspace|app|application|test|model) (?:structure|layout|organi[sz]ation|map|tree)|tech(?:nology)? stack|technologies(?: used)?|stack|(?:key |core |main )?(?:components?|modules?|concepts?|abstractions?|classes|features?|technologies|packages|libraries|design patterns|dependencies)|data (?:flow|model|pipeline|format|layout)|system (?:design|patterns)|design(?: patterns?| notes| decisions| principles| overview| system)?|how it works|implementation(?: notes| patterns?| strategy)?|technical (?:details|context|notes|approach|implementation)|environment variables?|env(?:ironment)? vars?|configuration(?: \w+)?|config(?: files?)?|key (?:design|points|details|components|implementation)|project (?:context|description|info(?:rmation)?|background|summary)|about(?: this| the)?(?: project| repo(?:sitory)?)?|what (?:this|it|is this|the project)(?: \w+){0,3}|purpose|introduction|database(?: schema)?|schema|api(?: reference| design| endpoints| routes| notes)?|integrations?(?: points)?|dependencies|security(?: \w+)?|performance(?: \w+)?|model(?: details| architecture| config)?|training (?:pipeline|setup|details|config|procedure|loop)|algorithms?|approach(?:es)?|methodology|method|pipeline|strategy|testing strategy|test (?:structure|strategy|organization)|ci(?: cd)?|environments?|glossary|terminology|domain(?: \w+)?|hyper-?parameters|parameters|logging|monitoring|caching|authentication|state management|workflows?|repository"),
    _rule("document", r"docs?|documentation|documents?|guides?|references?|files?|resources|links?|artifacts?|specs?|bibliography|papers", is_weak=True),
    _rule("session", r"session(?: \w+)?|handoff|handover|hand-off|branch(?:es)?|git(?: state| status| info| history| log)?|(?:repo|repository) (?:state|status|info)|uncommitted(?: changes)?|working (?:tree|directory)(?: state)?|last commit|metadata|work ?log|dev ?log|journal|diary|daily log|worktrees?|meta|log|history|wrap[- ]?up|end of (?:day|session)|checkpoint|context restore|resume"),
    _rule("insight", r"notes?|overview|details|information|info|structure|other|misc(?:ellaneous)?|general|additional(?: \w+)?|training|data|model|evaluation|inference|examples?", is_weak=True),
)  # fmt: skip
_FILLER = re.compile(
    r"(?<![\w])(?:a|active|considerations?|just|whats|all|an|and|any|are|as|at|be|been|by|current|currently|encountered|existing|first|for|found|from|full|has|have|high|high[- ]level|i|if|in|into"
    r"|is|it|items?|key|last|later|latest|list|low|made|main|major|medium|minor|more|most|my|new|now|of|on|open|or|other|our|overall|per|phase|phases|previous"
    r"|project|quick|recent|recently|section|session|sessions|since|so|far|summary|system|table|that|the|their|these|this|those|to|today|top|total|updates?|use|used|user|version|via|we|week|what|when|where|with"
    r"|work|you|your|authoritative|manual|date|includes?|including|final|handoff|day|hours?|month|run|test|seen|up|down|know|known|about|must|can|not|yet|also|only|read|each|related|specific|claude|agents?|ai|md|can now)(?![\w])"
)
_PARENS = re.compile(r"\([^()]{0,120}\)|\[[^\[\]]{0,60}\]")
_NUMBERING = re.compile(r"^(?:[#§]?\s?(?:\d{1,3}|[a-z]|[ivx]{1,4})(?:\.\d{1,3}){0,3}\s?[.):]\s*|\d{1,2}(?:\.\d{1,2})+\s+|\d{1,2}\s+[-–—]\s+|(?:step|part|section|task|item|issue|bug|lesson|decision|finding|experiment)\s?#?\d{1,3}\s?[:.)–—-]\s*)")
_NOT_WORD = re.compile(r"[^\w\s+'’-]+|(?<=\s)-+(?=\s)|_")
_DIGITS = re.compile(r"(?<![\w])[\d.,:x-]*\d[\w.%-]*")
_VERSION = re.compile(r"^\[?v?\d+\.\d+(?:\.\d+)?[\w.+-]*\]?(?:\([^()]*\))?(?:\s*[-–—:(/|]\s*.*)?$", re.I)


def normal(heading: str) -> str:
    """A heading's words in small letters, without emoji, numbering, punctuation and what stands in parentheses."""
    words = plain(heading[:300]).lower().replace("’", "'").replace("'", "").replace("&", " and ")
    words = re.sub(r"^[^\w\[(]+", "", words)
    words = _NUMBERING.sub("", words)
    words = _NOT_WORD.sub(" ", _PARENS.sub(" ", words))
    return " ".join(words.split())


def is_numbered(heading: str) -> bool:
    """Whether a heading has a number or an id of its own: "1. Leak fixed", "ADR-004: …", "BUG-2"."""
    return bool(_ENTITY.match(re.sub(r"^[^\w\[(]+", "", plain(heading[:120])).lower()))


_ENTITY = re.compile(
    r"^(?:\[?(?:adr|bug|exp|issue|dec|decision|hyp|h|task|t|d|b|e|l|lesson|experiment|hypothesis|finding|fix|risk|run)[-_ #]{0,2}\d{1,4}\b"
    r"|#?\d{1,3}[.):]\s|\d{4}-\d{2}-\d{2}\b)"
)


@lru_cache(maxsize=4096)
def meaning(heading: str) -> Meaning:
    """What a heading tells, from its words alone."""
    if _VERSION.match(plain(heading[:80]).strip()):
        return Meaning("change", "", 1.0)
    heading = _PARENS.sub("", heading[:300])
    if ":" in heading[:60]:  # "Key result: the small one wins": what stands before the colon says what follows
        head = _told(normal(heading.split(":", 1)[0]))
        if head.kind and head.share >= 1.0:
            return head
    return _told(normal(heading))


def _told(words: str) -> Meaning:
    words = " ".join(_DIGITS.sub(" ", words).split())
    total = len(words.split())
    if not total:
        return Meaning()
    told = [rule for rule in _RULES if rule.words.search(words)]
    if not told:
        return Meaning()
    found = next((rule for rule in told if not rule.is_weak), told[0])
    left = words
    for rule in _RULES:
        left = rule.words.sub(" ", left)
    left = _FILLER.sub(" ", left)
    return Meaning(found.kind, found.status, 1 - len(left.split()) / total, found.is_weak)


_HORIZONS = (
    ("24-48h", re.compile(r"24.{0,3}48|\b(?:24|48) ?h|tomorrow|next (?:few )?(?:hours|days?)\b|short[- ]term|next session")),
    ("week", re.compile(r"this week|next week|\bweek(?:s|ly)?\b|medium[- ]term|mid[- ]term|this sprint|\bp2\b")),
    ("now", re.compile(r"\bimmediate(?:ly)?\b|\bnow\b|\btoday\b|\basap\b|\burgent\b|\bp0\b|\bp1\b|\bcritical\b|\bhigh(?:est)?[- ]priority|\bpriority 1\b|\btop priorit")),
    ("later", re.compile(r"long[- ]term|\blater\b|\bfuture\b|someday|backlog|low[- ]priority|nice to have|eventually|deferred|\bp3\b|\bicebox\b|maybe|month|quarter|post-?mvp")),
)  # fmt: skip


@lru_cache(maxsize=1024)
def horizon_of(heading: str) -> str:
    """When: now, 24-48h, week, later; "" when it does not say. What stands in parentheses is the more exact."""
    words = plain(heading[:200]).lower()
    inner = " ".join(_PARENS.findall(words))
    for text in (inner, words):
        for name, pattern in _HORIZONS:
            if pattern.search(text) and not (name == "24-48h" and "next session" in text and "24" not in text):
                return name
    return ""


_STATUS = (
    ("dropped", re.compile(r"\(?\b(?:cancell?ed|dropped|abandoned|wont (?:do|fix)|won't (?:do|fix)|rejected|obsolete)\b\)?")),
    ("blocked", re.compile(r"⛔|🚫|\bblocked\b")),
    ("in progress", re.compile(r"🔄|🚧|⏳|🟡|\bin[- ]progress\b|\bwip\b|\bongoing\b|\bunderway\b|\bcontinuing\b")),
    ("open", re.compile(r"\b(?:pending|not (?:yet )?(?:started|done)|planned|todo|upcoming|incomplete)\b|⬜|📋")),
    ("done", re.compile(r"✅|✓|✔|☑|\b(?:done|completed?|finished|shipped|implemented)\b")),
)  # fmt: skip


@lru_cache(maxsize=1024)
def status_of(heading: str) -> str:
    """The state a heading ends with or has in parentheses: "Phase 1: Setup ✅", "Immediate (done)"."""
    words = heading[:300].lower()
    tail = re.split(r"\s[-–—:]\s|:\s", words)[-1] if re.search(r"\s[-–—]\s|:\s", words) else ""
    marks = "".join(re.findall(r"[✅✓✔☑🔄🚧⏳🟡⛔🚫⬜]", words))
    text = " ".join(_PARENS.findall(words)) + " " + (tail if len(tail) < 30 else "") + " " + marks
    return next((name for name, pattern in _STATUS if pattern.search(text)), "")


_PHASE = re.compile(r"\b((?:phase|milestone|sprint|stage|iteration|epic|week|day)s? \d+[a-z]?(?:\.[\dx]+)*(?:\s*[-–]\s*\d+(?:\.[\dx]+)*)?\b[^()\n]{0,80})", re.I)
_PHASE_PARENS = re.compile(r"\((?:[^()]{0,40}?[\s:])?((?:phases? )?v?\d+(?:\.[\dx]+)+(?:\s*[-–]\s*\d+(?:\.[\dx]+)*)?)\b[^()]{0,60}\)", re.I)
_PHASE_NUMBER = re.compile(r"\bphases? (\d+(?:\.[\dx]+)*(?:\s*[-–]\s*\d+(?:\.[\dx]+)+)?)", re.I)


@lru_cache(maxsize=1024)
def phase_of(heading: str) -> str:
    """The phase a heading names: "1.4.2" of "(Completed 1.4.2)", "Phase 2: Loader" of itself."""
    words = plain(heading[:200])
    if found := _PHASE_PARENS.search(words):
        return found[1]
    found = _PHASE.match(re.sub(r"^[^\w]+", "", words))
    if found:
        return found[1].strip().rstrip(":-– ")
    numbered = _PHASE_NUMBER.search(words)
    return numbered[1] if numbered else ""
