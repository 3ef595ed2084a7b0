"""What is known to fail each requirement: generated from tests/mutants by ``make kill-matrix``."""

from __future__ import annotations

# Requirement, name of the broken queue, and what that does wrong.
KILLS: dict[str, dict[str, str]] = {
    "INF-01": {
        "ChecksNoRange": "Whatever it is given goes into the pragma",
        "ComparesWithNan": "Asks whether the timeout is too small or too large, and NaN is neither",
        "IgnoresUnknownSettings": "A misspelt setting is dropped without a word",
        "RefusesWithoutARange": "Says what is wrong and not what would be right",
        "RefusesWithoutTheSetting": "Says that something is wrong and not what",
    },
    "INF-02": {
        "CreatesOnce": "The second process that starts finds the tables there and dies",
        "NeverOpens": "Raises, whatever the file",
        "OpensAnotherFile": "Takes the name for a folder's and puts its own file beside it",
        "OpensNothing": "Forgets to return what it opened",
        "RollsBackEverything": "Leaves the commit to whoever closes the connection",
    },
    "INF-03": {
        "GivesIdsAgain": "The id of a deleted task names the next one",
        "LacksAColumn": "A migration that was forgotten",
        "LogsOfNobody": "A log may outlive its task",
        "TakesNoPayload": "A task without a payload may be stored",
        "ThreeAttempts": "A default that moved",
        "TwoTasksOneKey": "No index keeps the second task of a key out",
    },
    "INF-04": {
        "ForgetsForeignKeys": "SQLite's own default is off",
        "KeepsARollbackJournal": "Writers block readers",
        "NeverSyncs": "A setting that is checked and not heeded",
        "SetsUpTheFirstOnly": "The pragmas run when the schema is made, on that connection",
        "SetsUpTheMainThreadOnly": "A second thread gets a bare connection",
        "WaitsForNobody": "A busy file is an error at once",
    },
    "INF-05": {
        "AddsToNull": "A claim that computes with what it read and never thought of NULL",
        "DecodesToNothing": "``except ValueError: return {}``",
        "FalseIsNothing": "``json.loads(...) or {}``",
        "FillsInDefaults": "``or 100`` turns NULL and 0 into the default",
        "KnowsEveryColumn": "A column that it does not know is an error of Python's",
        "NullsAreEmpty": "A row factory that spares its users the NULLs",
        "RowsWithoutNames": "Rows are tuples",
        "WritesNoneOut": "``str()`` around every text",
    },
    "INF-07": {
        "ScansForItsTask": "Looks for the task by an expression that no index serves",
    },
    "INF-08": {
        "BusyIsBroken": "A worker that should have tried again gives up",
        "CommitsWhatFailed": "``finally: commit()``",
        "DropsTheCause": "``from None``",
        "MapsWritesOnly": "Reads raise what the driver raises",
        "OneErrorForAll": "A missing table looks like a moment's trouble",
        "PassesTheDriversErrors": "Every team catches sqlite3.Error itself, or does not",
        "StaysLocked": "A busy error leaves its turn taken, for good",
        "SwallowsErrors": "Logs what went wrong, and goes on",
        "WrapsTheCallersErrors": "``except Exception`` where ``sqlite3.Error`` is meant",
    },
    "ENQ-01": {
        "StoresNothing": "Answers with an id and stores nothing",
        "DelaysByMinutes": "Takes the delay for minutes",
        "EmptyKeyForNone": "A task without a key gets the empty one, then a blank more for each",
        "FlattensCompatibility": "Keeps texts and numbers of it only",
        "ForgetsMaxAttempts": "An option that never reaches the row",
        "NeverEnqueues": "Not written yet",
        "ReturnsNoId": "Stores the task and forgets to say where",
        "ReturnsTheRowCount": "One row was inserted, so the id is 1",
        "StoresNullForADefault": "What was not given is stored as NULL, and the table's default has no say",
        "ZeroIsNoPriority": "``priority or 100``",
    },
    "ENQ-02": {
        "CutsTextAtNul": "Drops NUL characters from payloads",
        "DecodesBytes": "``default=`` turns into text what JSON does not know",
        "EmptyBecomesAnObject": "``payload or {}``",
        "InMemoryTakesTuples": "A queue with a storage of its own that makes JSON of anything",
        "NumbersAreDoubles": "Large integers lose their last digits",
        "StoresThenLooks": "Reads the payload back after the commit, and complains then",
        "TakesAnyKey": "Looks at the values and not at the keys",
        "TakesTuples": "``json.dumps`` alone: a tuple becomes a list",
    },
    "ENQ-03": {
        "Asserts": "Another class of error, and none at all under ``python -O``",
        "ClampsMaxAttempts": "``max(1, n)`` hides the caller's mistake",
        "InMemoryDelaysBackwards": "A queue with a storage of its own that adds up what it is given",
        "InMemoryInsertsFirst": "Appends, then looks; its statistics tell",
        "InMemoryListedDelaysFirst": "What it refused is stored for later, where no claim sees it; its list tells",
        "InMemoryUncountedInsertsFirst": "Appends, then looks; its next claim tells",
        "InsertsFirst": "The row is there before the options are looked at",
        "NegativeIsNow": "A delay below zero is taken for zero",
        "OnlyRefusesNegativeDelays": "``delay < 0`` is false for NaN, which SQLite then makes NULL",
        "RefusesWithoutAName": "Says that something is wrong and not what",
        "StoresNan": "``json.dumps`` writes NaN unless it is told not to",
        "TakesAnEmptyType": "A task that no worker knows",
        "TakesAnyPriority": "SQLite stores a text in an INTEGER column without a word",
        "TakesWhateverComes": "The first that was written: a list",
    },
    "ENQ-04": {
        "DoublesQuotes": "Escapes by hand what goes in as a parameter",
        "KeysAreLikePatterns": "Looks a key up with LIKE, where ``_`` and ``%`` stand for others",
        "PastesTheError": "The error becomes part of the statement",
        "PastesTheType": "The type becomes part of the statement",
        "PastesTheWorker": "The worker's name becomes part of the statement",
    },
    "ENQ-05": {
        "ForgetsTheKey": "Stores a second task for the same idempotency key",
    },
    "ENQ-06": {
        "ForgetsTheDelay": "Stores the task as due at once, whatever the delay",
    },
    "ENQ-08": {
        "AnswersBeforeItWrites": "Returns an id at once and writes the task with whatever comes next",
        "EnqueuesABatchOneByOne": "Each item of a batch has a transaction of its own",
        "EnqueuesThenSetsTheKey": "Sets the key of a new task in a second transaction",
        "RemembersTheKeyLater": "Keys live in a table of the team's own, written when the task is stored already",
    },
    "ENQ-10": {
        "CancelsWhateverTheStatus": "Cancels by id alone, also a task that is leased or finished",
    },
    "ENQ-11": {
        "InventsATask": "Returns a task for an id that was never given out",
    },
    "ENQ-12": {
        "CancelsInLocalTime": "The same, for a task that never ran",
        "DelaysInLocalTime": "Only a delay goes through local time: nobody sees it where local time is UTC",
        "DueInLocalTime": "Compares UTC with local time: west of Greenwich nothing is due for hours",
        "FinishesInLocalTime": "A clean-up then deletes it nine hours early or late",
        "LeasesInLocalTime": "A lease of nine hours in Tokyo, and one that was over before it began in New York",
        "Local": "``datetime.now()``",
        "NaiveTimestamps": "``utcnow().timestamp()`` reads UTC as local time",
        "WritesAnOffset": "A time that is right and not UTC: compared as text it is not",
    },
    "ENQ-13": {
        "BatchForgetsDefaults": "The batch is a second INSERT, written later, and what an item does not name is NULL in it",  # noqa: E501 - generated
        "BatchForgetsTheDelay": "Every item is due at once",
        "BatchForgetsWhen": "The batch has no time of its own",
        "IdsInAnotherOrder": "The ids come as a set gives them, or as RETURNING does",
        "OneByOne": "A loop of single calls: what came before the bad item stays",
        "ReturnsACount": "How many were stored, and not which",
        "ReturnsTheFirstId": "A batch has one id: its first task's",
        "SkipsBadItems": "Stores what it can, and returns fewer ids than it got items",
    },
    "CLM-01": {
        "ClaimsNothing": "Finds the queue empty at every claim",
    },
    "CLM-02": {
        "RobsLiveHolders": "Puts every leased task back into the queue before it claims",
    },
    "CLM-04": {
        "LeasesForHalfTheTime": "Leases for half of the seconds asked for",
    },
    "CLM-05": {
        "DoesNotCountTheAttempt": "Takes the attempt back that a claim counted",
        "CountsTheAttemptAfterTheLease": "Leases in one transaction and counts the attempt in the next",
    },
    "CLM-06": {
        "CountsTheAttemptAfterTheLease": "Leases in one transaction and counts the attempt in the next",
        "NamesTheHolderLater": "The status is set first, holder and deadline in a second transaction",
    },
    "CLM-07": {
        "IgnoresCapabilities": "Claims as if every worker were able to do everything",
    },
    "LSE-01": {
        "RobsLiveHolders": "Puts every leased task back into the queue before it claims",
    },
    "LSE-02": {
        "NeverRenews": "Answers False to every holder that renews",
    },
    "LSE-03": {
        "RenewsForAnyone": "Renews by id alone, for whoever asks",
    },
    "FIN-01": {
        "SaysCompletedAndWritesNothing": "Answers True and leaves the task as it was",
    },
    "FIN-02": {
        "CompletesById": "Completes by id alone, also after the lease was lost",
    },
    "FIN-03": {
        "CompletesById": "Completes by id alone, also after the lease was lost",
    },
    "FIN-04": {
        "FailsAtOnce": "Gives up at the first failure although attempts are left",
    },
    "FIN-05": {
        "ForgetsTheBackoff": "Makes a failed task due again at once",
    },
    "FIN-06": {
        "CompletesInTwoSteps": "The status first, the end of the lease in a second transaction",
        "FailsAndThenPutsBack": "A failure with attempts left is failed first and put back in a second transaction",
    },
    "FIN-08": {
        "ChokesOnOddErrors": "Raises for an error text that is not ASCII",
    },
    "SCH-01": {
        "ServesInReverse": "Serves every strategy in another one's order",
    },
    "SCH-02": {
        "ServesInReverse": "Serves every strategy in another one's order",
    },
    "SCH-03": {
        "ServesInReverse": "Serves every strategy in another one's order",
    },
    "OBS-01": {
        "CountsOneTooMany": "Counts one queued task more than there are",
    },
    "OBS-03": {
        "CountsAndWrites": "Writes to the tasks that it counts",
    },
    "MNT-01": {
        "DeletesDeadLetters": "Deletes whatever finished long ago, dead letters too",
    },
    "MNT-04": {
        "MarksBeforeItDeletes": "Marks what is old in one transaction and deletes what it marked in the next",
        "RemembersHowFarItCame": "Notes the last id to delete before it deletes, and begins behind it next time",
    },
    "MNT-05": {
        "ReclaimsEverything": "Takes back live leases as well as those that are over",
    },
}
