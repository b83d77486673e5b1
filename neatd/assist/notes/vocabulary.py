"""The words that headings are made of, by the kind of record they announce. A table; `sections.py` reads it."""

from __future__ import annotations

import re
from typing import NamedTuple


class Rule(NamedTuple):
    """Words of one kind. The first rule with a word in the heading decides."""

    kind: str
    status: str
    is_weak: bool
    words: re.Pattern[str]


def _rule(kind: str, words: str, status: str = "", is_weak: bool = False) -> Rule:
    return Rule(kind, status, is_weak, re.compile(rf"(?<![\w])(?:{words})(?![\w])"))


# The order matters: "next session priorities" are tasks and no session, "known issues and limitations" are bugs.
RULES = (
    _rule("insight", r"(?:\w+ )?legend"),
    _rule(
        "session",
        r"session (?:complete|summary|notes?|log|report|handoff|handover|end|info|metadata|details|date"
        r"|overview|wrap[- ]?up)|(?:cross|previous|last|this)[- ]session (?:notes?|summary|context)"
        r"|uncommitted(?: changes| files| work)?|(?:git )?working (?:tree|directory)(?: state| status)?",
    ),
    _rule(
        "task",
        r"(?:tasks?|todos?|items?|work) (?:completed?|done|finished)|completed? (?:tasks?|todos?|items?)"
        r"|(?:completed?|done|finished)(?: archive| this (?:week|session|sprint))?$",
        "done",
    ),
    _rule("task", r"(?:tasks?|items?|work) blocked", "blocked"),
    _rule("task", r"(?:tasks?|items?|work) in[- ]progress", "in progress"),
    _rule("assessment", r"context for (?:the )?next(?: session| agent)?|(?:task|to-?do|work|item|feature) status"),
    _rule(
        "insight", r"(?:machine|deep|transfer|reinforcement|test-time|federated|active|meta|representation) learning"
    ),
    _rule(
        "insight",
        r"error analysis|failure analysis|common (?:issues|problems|errors|mistakes|pitfalls)"
        r"|troubleshooting|gotchas?|pitfalls?"
        r"|quirks|faq|edge cases|performance (?:issues|problems)|debugging(?: tips| notes)?",
    ),
    _rule(
        "style",
        r"code[- ]style|coding[- ](?:style|standards?|conventions?|guidelines|rules|practices)"
        r"|style(?: guides?| guidelines)?|naming(?: conventions?)?"
        r"|formatting(?: rules)?|code (?:conventions|formatting|quality|standards|guidelines)"
        r"|error handling|docstrings?|type (?:hints|safety|annotations)"
        r"|(?:python|typescript|rust|go|java|c\+\+|react|css|javascript) (?:style|conventions|guidelines"
        r"|standards)|import (?:order|style|conventions)",
    ),
    _rule("hypothesis", r"hypothes[ie]s|predictions?|theories|conjectures?"),
    _rule(
        "decision",
        r"decisions?|decision (?:log|record)s?|decided|adrs?|design choices|tech(?:nical)? choices"
        r"|why we chose|decisions log|resolved questions",
    ),
    _rule(
        "lesson",
        r"lessons?|lessons learned|learned|learnt|learnings|retrospectives?|retro|reflections?"
        r"|post-?mortems?|takeaways?"
        r"|what (?:worked|didnt|went)(?: (?:work|well|wrong|badly))?|(?:dont|do not) repeat|dead ends?"
        r"|failed (?:approaches|attempts|experiments)|what (?:failed|doesnt work)|did not work",
    ),
    _rule(
        "challenge",
        r"challenges?|risks?|open questions?|unanswered questions?|open issues|blockers?|concerns?"
        r"|unknowns|limitations?|known limitations"
        r"|(?:technical|tech) debt|unresolved(?: questions?| issues)?|questions?|uncertainties|threats"
        r"|weaknesses",
    ),
    _rule("task", r"blocked(?: on| by| items| tasks)?|waiting(?: on| for)?", "blocked"),
    _rule(
        "task",
        r"future fix(?:es)?|bugs? to fix|fix(?:es)? needed|fix ?list|to fix|(?:issues|problems|bugs"
        r"|fixes) to (?:address|resolve)",
    ),
    _rule(
        "bug",
        r"(?:fixed|resolved|closed|solved) (?:bugs?|issues?|problems?)|(?:bugs?|issues?"
        r"|problems?) (?:\w+ )?(?:fixed|resolved|solved)|bug ?fix(?:es)?|fix(?:es)?(?: applied| made)?"
        r"|fixed|resolved",
        "fixed",
    ),
    _rule(
        "bug",
        r"bugs?|known (?:issues?|bugs?|problems?)|issues?|problems?|errors?|defects?|regressions?"
        r"|crash(?:es)?|incidents?|whats broken|broken",
    ),
    _rule(
        "test",
        r"test(?:s|ing)? (?:status|results?|state|runs?|summary|counts?)|tests? (?:passed|passing|failing)"
        r"|test suite(?: status| results?)?|last test run|ci status|build status",
    ),
    _rule(
        "preference",
        r"always do(?: this)?|always|never(?: do)?|red lines|(?:user |my |team |personal )?preferences?"
        r"|dos and donts|donts?|do nots?|guardrails?|golden rules?|hard rules|(?:critical|important|key"
        r"|core|general|global|project|operating|behavioral|safety|security|git|commit|testing|development"
        r"|workflow|documentation|communication|agent|ai|mandatory|non-negotiable|absolute|cardinal"
        r"|iron) (?:rules?|instructions?|guidelines|principles|constraints|policy|policies|conventions?"
        r"|requirements|practices|standards|reminders?|etiquette)"
        r"|rules?|instructions?|guidelines|principles|philosophy|constraints|conventions?|best practices"
        r"|polic(?:y|ies)|etiquette|expectations|working agreement|(?:what )?not to do|prohibited"
        r"|forbidden|mandatory|reminders?|anti-?patterns?"
        r"|commit (?:messages?|style|format)|pull requests?|prs?|pr (?:guidelines|process)"
        r"|branching(?: strategy)?|(?:git|development|dev|agent|commit|session|review) workflow"
        r"|version control|code review|boundaries|collaboration|persona|tone|standards|protocols?",
    ),
    _rule(
        "insight",
        r"(?:feature|data|model|code|api) (?:importance|flow)|important (?:notes?|context|details"
        r"|considerations)|key (?:notes|considerations|concepts|facts)",
    ),
    _rule("preference", r"important|critical|must(?: read| follow)?|attention|warnings?", is_weak=True),
    _rule(
        "goal",
        r"goals?|objectives?|vision|mission|success (?:criteria|metrics?)|acceptance criteria"
        r"|definition of done|targets?|aims?|(?:core|functional|project|key|product|business"
        r"|non-functional|user) requirements|non-goals|out of scope|scope|problem statement|north star"
        r"|desired outcomes?",
    ),
    _rule(
        "command",
        r"commands?(?: to run| reference)?|(?:build|test|run|lint|dev|development|useful|common|key"
        r"|essential|quick|setup|cli) (?:and \w+ )?commands?|cheat ?sheet|how to (?:run|build|test|use"
        r"|start|resume|reproduce|deploy|verify|continue)(?: \w+)?|quick ?(?:start|reference"
        r"|commands)(?: card| guide)?"
        r"|getting started|(?:build|run|test|lint)(?: and (?:build|run|test|lint))+|build(?:ing)? (?:and"
        r"|test|run)|cli(?: usage| reference)?|usage(?: examples?)?|running(?: \w+)?|useful snippets"
        r"|verification (?:commands?|steps)|restart (?:commands?|instructions)|resume (?:commands?"
        r"|instructions)|install(?:ation|ing)?(?: instructions)?|to (?:resume|run|reproduce|restart)"
        r"|reproduc(?:e|tion|ibility)",
    ),
    _rule(
        "command",
        r"build(?:ing)?|testing|tests?|run|setup|set ?up|development(?: setup| environment)?"
        r"|local development|deploy(?:ment|ing)?|scripts?|lint(?:ing)?|development|dev setup|make targets"
        r"|tooling|debugging|prerequisites|smoke tests?",
        is_weak=True,
    ),
    _rule(
        "experiment",
        r"experiments?|experiment (?:log|results|table|history|progress|tracker)|hpo"
        r"|hyper-?parameter (?:search|sweep|tuning|optimi[sz]ation)|sweeps?|trials?|ablations?(?: study"
        r"| studies)?|leaderboard|(?:training|experiment|eval|evaluation|benchmark|finished|completed"
        r"|active|running|past|previous) runs?|runs|run (?:log|history|table)|benchmarks?|queue"
        r"|queued(?: for)?|baselines?|(?:model )?comparison|studies|submissions?",
    ),
    _rule(
        "task",
        r"(?:current(?:ly)? )?in[- ]progress|wip|work in progress|active tasks?|(?:currently )?working on"
        r"|ongoing(?: work| tasks)?|current (?:task|sprint|work)s?|doing|started",
        "in progress",
    ),
    _rule(
        "task",
        r"next(?: steps?| actions?| tasks?| up| session| priorities| milestones?)?|to-?dos?|to do|pending"
        r"|priorit(?:y|ies)|upcoming|backlog|roadmap|remaining(?: work| tasks?| items)?|action items?"
        r"|should|follow[- ]?ups?|not (?:yet )?(?:done|started|implemented|complete)|incomplete"
        r"|left to (?:do|build)|whats (?:next|left|missing|remaining)|what (?:remains|is next|is left"
        r"|needs)|(?:still )?needs? (?:doing|work)|outstanding|unfinished|planned(?: work| features"
        r"| next)?|future (?:work|plans?|improvements?|enhancements?|tasks?|directions?|ideas|steps)"
        r"|immediate(?:ly)?|short[- ]term|medium[- ]term|mid[- ]term|long[- ]term|someday|nice to have"
        r"|deferred|(?:high|medium|low|top|highest)[- ]priority|ready to build|open (?:tasks?|items|todos?"
        r"|work)|task (?:list|breakdown|queue)|tasks?|checklist|improvements to (?:make|consider)"
        r"|work items|recommendations?|recommended|suggested|suggestions|plan|action plan"
        r"|implementation (?:plan|steps|order|tasks|phases)|milestones?|sprints?|deliverables|subtasks"
        r"|user stories|stories|epics?|planning|ideas",
    ),
    _rule(
        "change",
        r"files? (?:\w+ )?(?:created|modified|changed|updated|added|touched|deleted|edited|removed)|(?:new"
        r"|modified|changed|updated|created|touched) (?:files?|scripts?|modules?)|files? changes|(?:code "
        r"|recent |notable |key |breaking |major |minor |latest |other )?changes|changed|change ?log"
        r"|whats (?:new|changed)|what (?:changed|i changed|we changed)|release notes|unreleased"
        r"|version history|commits?(?: made| this session| log| history)?|recent commits|git commits"
        r"|before after|refactor(?:ing|ed|s)?|modifications?|modified|updated|created|added|removed"
        r"|deprecated|migrations?|memory (?:entities|updates?)|entities (?:updated|created)"
        r"|implementation (?:summary|details)|improvements|enhancements|new features?|features? (?:added"
        r"|implemented)|new capabilities|fixes and improvements|updates?|impact(?: metrics)?"
        r"|optimi[sz]ations?",
    ),
    _rule(
        "task",
        r"completed?(?: work| tasks?| items| features| milestones?| phases?| steps?)?|done|accomplish(?:ed"
        r"|ments?)|achiev(?:ed|ements?)|finished|what (?:was|we|i|got|has been|has|ive|weve"
        r"|is) (?:\w+ )?(?:done|did|built|accomplished|completed|implemented|achieved|finished|complete)"
        r"|work (?:done|completed|performed)|shipped|delivered|(?:recent|recently) (?:completed|work"
        r"|activity|done|accomplishments)|recent progress|progress (?:made|this session|today)|implemented"
        r"|whats (?:done|complete|completed|been done|finished)|wins|highlights|milestones reached"
        r"|archive[d]?|this session",
        "done",
    ),
    _rule(
        "data",
        r"data versions?|manifests?|datasets?|data (?:sources?|registr\w+|files|splits?|inventory|sets?)"
        r"|training data|splits",
    ),
    _rule(
        "machine",
        r"vms?|vm (?:connection|access|info|details)|machines?|hardware(?: \w+)?|gpus?|gpu (?:server"
        r"|cluster|setup|info|node)|servers?|server (?:info|access|details|connection)|ssh(?: \w+)?"
        r"|remote (?:hosts?|access|servers?|machines?)|compute(?: resources| environment)?|hosts?"
        r"|cluster(?: info)?|connection(?: info| details)?|instances?|cloud instances?|pods?|workstation"
        r"|nodes?",
    ),
    _rule(
        "service",
        r"services?(?: running| status)?|running (?:services|processes)|endpoints|ports(?: and services)?"
        r"|daemons?|background processes",
    ),
    _rule("phase", r"project phase|current phase|phase status"),
    _rule(
        "insight",
        r"insights?|key insights?|observations?|findings?|discover(?:y|ies|ed)|analysis|pattern analysis"
        r"|patterns|results?|key results?|outcomes?|conclusions?|implications|benefits?(?: summary)?"
        r"|capabilities|interpretations?|measurements?|metrics|knowledge(?: base)?|facts"
        r"|tips(?: and tricks)?|tricks|hints|caveats|insight log|examples? seen|detection examples"
        r"|rationale|reason(?:ing)?|why(?: this matters| it matters)?|remember|useful (?:info|information"
        r"|notes)|nuances|research(?: notes| findings)?|literature|related work|background|strengths"
        r"|wisdom|notable|evidence",
    ),
    _rule(
        "assessment",
        r"current (?:project |system |overall |implementation )?(?:status|state|focus|situation|assessment"
        r"|position|progress|understanding|work focus|context)|project (?:status|state|health)|(?:system"
        r"|overall|final|implementation|environment|training|deployment|resource|feature|component|task"
        r"|module|session|model|experiment|quick|live) (?:status|state|health)|status(?: summary| overview"
        r"| update| report)?|state|assessment|health|where (?:we|things|i) (?:are|stand|left off)|tl ?dr"
        r"|executive summary|situation|active context|work focus|progress(?: summary| tracking| report"
        r"| overview)?|whats working|what works|working(?: features)?|resource usage"
        r"|context for next(?: session| agent)?|context|focus|snapshot|bottom line|conclusions?|verdict"
        r"|summary|evaluation",
    ),
    _rule(
        "document",
        r"(?:key|important|relevant|critical|main|core|reference|related|source|config(?:uration)?"
        r"|essential|notable|entry) (?:files?|docs?|documents?|documentation|links?|paths?|references?"
        r"|points?)|reading (?:list|order)|further reading|required reading|must[- ]read|see also"
        r"|read (?:first|these|next)|where to (?:find|look)|documentation (?:index|map|files)|(?:plan"
        r"|design|spec) (?:docs?|documents?|files?)|file (?:locations?|map|index|reference|paths)"
        r"|file[- ]by[- ]file|imports?",
    ),
    _rule(
        "insight",
        r"(?:\w+ )?architecture(?: \w+)?|(?:project |code |system |high[- ]level |architecture |technical "
        r"|product |repo |repository )?overview|(?:project|directory|folder|file|code|repo|repository"
        r"|codebase|module|package|data|crate|workspace|app|application|test|model) (?:structure|layout"
        r"|organi[sz]ation|map|tree)|tech(?:nology)? stack|technologies(?: used)?|stack|(?:key |core "
        r"|main )?(?:components?|modules?|concepts?|abstractions?|classes|features?|technologies|packages"
        r"|libraries|design patterns|dependencies)|data (?:flow|model|pipeline|format|layout)"
        r"|system (?:design|patterns)|design(?: patterns?| notes| decisions| principles| overview"
        r"| system)?|how it works|implementation(?: notes| patterns?| strategy)?|technical (?:details"
        r"|context|notes|approach|implementation)|environment variables?|env(?:ironment)? vars?"
        r"|configuration(?: \w+)?|config(?: files?)?|key (?:design|points|details|components"
        r"|implementation)|project (?:context|description|info(?:rmation)?|background|summary)"
        r"|about(?: this| the)?(?: project| repo(?:sitory)?)?|what (?:this|it|is this"
        r"|the project)(?: \w+){0,3}|purpose|introduction|database(?: schema)?|schema|api(?: reference"
        r"| design| endpoints| routes| notes)?|integrations?(?: points)?|dependencies|security(?: \w+)?"
        r"|performance(?: \w+)?|model(?: details| architecture| config)?|training (?:pipeline|setup"
        r"|details|config|procedure|loop)|algorithms?|approach(?:es)?|methodology|method|pipeline|strategy"
        r"|testing strategy|test (?:structure|strategy|organization)|ci(?: cd)?|environments?|glossary"
        r"|terminology|domain(?: \w+)?|hyper-?parameters|parameters|logging|monitoring|caching"
        r"|authentication|state management|workflows?|repository",
    ),
    _rule(
        "document",
        r"docs?|documentation|documents?|guides?|references?|files?|resources|links?|artifacts?|specs?"
        r"|bibliography|papers",
        is_weak=True,
    ),
    _rule(
        "session",
        r"session(?: \w+)?|handoff|handover|hand-off|branch(?:es)?|git(?: state| status| info| history"
        r"| log)?|(?:repo|repository) (?:state|status|info)|uncommitted(?: changes)?|working (?:tree"
        r"|directory)(?: state)?|last commit|metadata|work ?log|dev ?log|journal|diary|daily log"
        r"|worktrees?|meta|log|history|wrap[- ]?up|end of (?:day|session)|checkpoint|context restore"
        r"|resume",
    ),
    _rule(
        "insight",
        r"notes?|overview|details|information|info|structure|other|misc(?:ellaneous)?|general"
        r"|additional(?: \w+)?|training|data|model|evaluation|inference|examples?",
        is_weak=True,
    ),
)


FILLER = re.compile(
    r"(?<![\w])(?:a|active|considerations?|just|whats|todays?|tomorrows?|yesterdays?|all|an|and|any"
    r"|are|as|at|be|been|by|current|currently|encountered|existing|first|for|found|from|full|has|have"
    r"|high|high[- ]level|i|if|in|into"
    r"|is|it|items?|key|last|later|latest|list|low|made|main|major|medium|minor|more|most|my|new|now"
    r"|of|on|open|or|other|our|overall|per|phase|phases|previous"
    r"|project|quick|recent|recently|section|session|sessions|since|so|far|summary|system|table|that"
    r"|the|their|these|this|those|to|today|top|total|updates?|use|used|user|version|via|we|week|what"
    r"|when|where|with"
    r"|work|you|your|authoritative|manual|date|includes?|including|final|handoff|day|hours?|month|run"
    r"|test|seen|up|down|know|known|about|must|can|not|yet|also|only|read|each|related|specific|claude"
    r"|agents?|ai|md|can now)(?![\w])"
)
