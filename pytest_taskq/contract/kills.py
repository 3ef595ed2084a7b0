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
    "INF-06": {
        "DeferredTransactions": "Begins write transactions without the lock",
        "NoTransactions": "Commits each statement on its own",
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
        "LocksAreTheDriversBusiness": "Lets the driver's own lock error out",
    },
    "INF-09": {
        "LooksThenCreates": "Looks whether the tables are there, and creates them in a transaction that comes later",
        "WritesItsVersionTwice": "Every process that finds no version writes one",
    },
    "INF-10": {
        "SharesOneConnection": "All threads use one connection, so one's COMMIT is everybody's",
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
        "AsksForTheKeyBeforehand": "Looks for the key and inserts afterwards, under a lock that other processes do not see",  # noqa: E501 - generated
        "LooksForTheKeyFirst": "Looks for the key, then inserts, and lets the second one fail",
    },
    "ENQ-06": {
        "ForgetsTheDelay": "Stores the task as due at once, whatever the delay",
    },
    "ENQ-07": {
        "CommitsForTheCaller": "Commits what the caller has done so far, to be on the safe side",
    },
    "ENQ-08": {
        "AnswersBeforeItWrites": "Returns an id at once and writes the task with whatever comes next",
        "EnqueuesABatchOneByOne": "Each item of a batch has a transaction of its own",
        "EnqueuesThenSetsTheKey": "Sets the key of a new task in a second transaction",
        "RemembersTheKeyLater": "Keys live in a table of the team's own, written when the task is stored already",
        "AcknowledgesWhatItBuffers": "Hands out ids of a range of its own and writes fifty tasks at a time: fast, until the process dies",  # noqa: E501 - generated
    },
    "ENQ-09": {
        "CountsIdsItself": "Takes the next id from the table and writes under it, one thread at a time",
        "DoesNotWait": "Opens a connection of its own that gives up at the first lock",
    },
    "ENQ-10": {
        "CancelsWhateverTheStatus": "Cancels by id alone, also a task that is leased or finished",
        "CancelsAfterALook": "Looks whether the task is queued, then cancels by id",
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
        "BatchInSteps": "Checks the whole batch, then stores its items one by one",
    },
    "CLM-01": {
        "ClaimsNothing": "Finds the queue empty at every claim",
        "RetriesForEver": "Does not count how often a task may fail, in a storage of its own",
    },
    "CLM-02": {
        "RobsLiveHolders": "Puts every leased task back into the queue before it claims",
        "LocksItsThreads": "One claim at a time in each process: a SELECT, then an UPDATE without a guard",
        "ReadsBeforeTheImplicitBegin": "Selects inside `with connection:`, which begins its transaction only at the UPDATE",  # noqa: E501 - generated
        "SelectsThenUpdates": "Selects in one transaction and updates in another",
    },
    "CLM-03": {
        "TakesTwoWhenBeaten": "When another was faster it leases the two next ones, and returns one of them",
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
    "CLM-08": {
        "ChecksAfterTheClaim": "Looks at its arguments once the task is leased",
        "FindsNothing": "Returns None at every claim, whatever is stored or asked",
        "LetsNanPass": "Compares the lease with zero only, which NaN passes",
        "RaisesAtEveryClaim": "Raises at every claim",
        "SaysBadArgument": "Refuses with a text that does not say what was wrong",
        "TakesAnyName": "Makes a name of whatever it is given, in a storage of its own",
    },
    "CLM-09": {
        "GivesUpWhenBeaten": "Its UPDATE is guarded; when another was faster it says that there is nothing",
        "RaisesWhenBeaten": "The same, and it takes the missing row for a task",
        "UpgradesItsLock": "Begins a deferred transaction with a read, so that the lock it asks for later is refused at once",  # noqa: E501 - generated
    },
    "CLM-10": {
        "LooksAtEachTask": "Asks for each task again while it holds the write lock",
        "SleepsWithTheLock": "Pauses politely while it holds the write lock",
    },
    "CLM-11": {
        "DecodesAfterTheLease": "Reads the payload once the lease is committed: the exception leaves the task leased to nobody",  # noqa: E501 - generated
        "FindsNothing": "Returns None at every claim, whatever is stored or asked",
        "HandsOutTheSameRowAgain": "Returns the oldest row, whoever has it",
        "KeepsTheLeaseOfWhatItCannotRead": "Goes on behind a row that it leased and could not read",
        "LooksIntoJsonInSql": "Asks SQLite's JSON functions, which raise on any row they touch",
        "RaisesAtEveryClaim": "Raises at every claim",
        "ReadsOneFormatOfTimes": "Parses when a task is due, and only whole seconds with a space between date and time",
        "SortsInPython": "Sorts by priority in Python, where NULL has no place",
        "StopsAtWhatIsNotUtf8": "Leases a row whose text is not UTF-8, rolls back, and meets it again at the next claim",  # noqa: E501 - generated
    },
    "CLM-12": {
        "BatchesForAnyWorker": "Compares capabilities in a single claim only",
        "BatchesLazily": "Returns a generator, which leases nothing until somebody asks",
        "ComparesAfterTheLease": "Leases what is first and returns what of it the worker is able to do",
        "HasNoBatches": "Returns an empty batch always",
        "LeasesAheadOfItsBatch": "Leases twice as many tasks as it returns, for the next call that never comes",
        "ReturnsABatchByAge": "Leases what is first by priority and returns it by age, as RETURNING gives the rows",
        "ReturnsTheRowsItChose": "Returns the tasks of a batch as they were before it leased them",
        "TakesOneMore": "Returns one task more than asked for, if there is one",
        "SelectsABatchThenUpdates": "Selects a batch, then leases its tasks one by one",
    },
    "LSE-01": {
        "RobsLiveHolders": "Puts every leased task back into the queue before it claims",
    },
    "LSE-02": {
        "NeverRenews": "Answers False to every holder that renews",
        "RenewsById": "Checks the holder, then renews whoever holds it by then",
    },
    "LSE-03": {
        "RenewsForAnyone": "Renews by id alone, for whoever asks",
        "RenewsById": "Checks the holder, then renews whoever holds it by then",
    },
    "LSE-04": {
        "RenewsById": "Checks the holder, then renews whoever holds it by then",
    },
    "LSE-05": {
        "CutsTheFraction": "Leases until a whole second that may be nearly a second too early",
        "CutsTheFractionOfARenewal": "Rounds a claim's deadline up and a renewal's down",
        "LeasesFromTheBeginningOfTheSecond": "Counts a lease from the second that the claim lies in, in a storage of its own",  # noqa: E501 - generated
    },
    "FIN-01": {
        "SaysCompletedAndWritesNothing": "Answers True and leaves the task as it was",
    },
    "FIN-02": {
        "CompletesById": "Completes by id alone, also after the lease was lost",
        "CompletesAfterALook": "Checks the holder, then completes by id",
    },
    "FIN-03": {
        "CompletesById": "Completes by id alone, also after the lease was lost",
    },
    "FIN-04": {
        "FailsAtOnce": "Gives up at the first failure although attempts are left",
    },
    "FIN-05": {
        "ForgetsTheBackoff": "Makes a failed task due again at once",
        "SometimesWaitsLonger": "Puts every fifth retry off by a quarter of its delay more than it promises",
        "RetriesAtOnce": "Puts a failed task back as due at once, in a storage of its own",
    },
    "FIN-06": {
        "CompletesInTwoSteps": "The status first, the end of the lease in a second transaction",
        "FailsAndThenPutsBack": "A failure with attempts left is failed first and put back in a second transaction",
    },
    "FIN-07": {
        "CompletesAfterALook": "Checks the holder, then completes by id",
    },
    "FIN-08": {
        "ChokesOnOddErrors": "Raises for an error text that is not ASCII",
        "AnswersWithAStatus": "Returns the new status where the contract asks whether the holder's call was accepted",
        "EmptiesOddErrors": "Records nothing of a text that is not plain",
        "FailsInWordsOnly": "Says True to every failure and changes nothing",
        "LimitsErrorsByRaising": "Raises where it should cut a long error text",
        "RefusesEveryFailure": "Says False to every failure and changes nothing",
        "SwallowsOddErrors": "Gives up on an error text that UTF-8 cannot hold; the task stays leased",
    },
    "FIN-09": {
        "AnswersWithAStatus": "Returns the new status where the contract asks whether the holder's call was accepted",
        "BuriesWithoutAttempts": "Sets the attempts of a dead letter back to 0",
        "DiesHoldingItsLease": "Leaves holder and deadline on a dead letter",
        "FailsInWordsOnly": "Says True to every failure and changes nothing",
        "ForgetsTheLastError": "Writes its own words over the last error when it gives a task up",
        "ReclaimsTheDead": "Puts back what is over, and dead letters with it",
        "TriesOnceMore": "Puts a task without attempts left back for a last try, a day later",
    },
    "SCH-01": {
        "ServesInReverse": "Serves every strategy in another one's order",
        "ServesItsShareFirst": "To keep out of each other's way, every process prefers the ids of its own residue",
    },
    "SCH-02": {
        "ServesInReverse": "Serves every strategy in another one's order",
        "KeepsWhatItRead": "Each process reads ten candidates at a time and works them off, whatever comes meanwhile",
    },
    "SCH-03": {
        "ServesInReverse": "Serves every strategy in another one's order",
        "KeepsWhatItRead": "Each process reads ten candidates at a time and works them off, whatever comes meanwhile",
    },
    "SCH-04": {
        "AllAlike": "Draws without a look at weights",
        "ChanceTimesWeight": "``ORDER BY random() * weight DESC``",
        "DelayedRunFromTheStart": "Draws for what is not due yet, so that its time is long past when it comes",
        "DrawsAmongTheFirst": "``LIMIT 50`` before the draw",
        "DrawsForAnybody": "Draws among all that is due; if the worker cannot do what it drew, the oldest that it can do is served",  # noqa: E501 - generated
        "HeaviestFirst": "Takes the heaviest for the likeliest",
        "KeyForEver": "Draws a key when a task comes in, and none again when it is retried",
        "KeyPerAttempt": "Draws a key when a task comes in or comes back, so that newcomers overtake whoever was unlucky before",  # noqa: E501 - generated
        "NeverTheLightest": "Starves whoever is last",
        "OldestOfEqualWeight": "Draws a weight, and serves the oldest task that has it",
        "PromisesOtherWeights": "Promises that the number is the weight, and divides by it",
        "RetriedKeepTheirArrival": "Keeps the time of a task that was served and came back, which lies behind all others",  # noqa: E501 - generated
        "RootOfTheWeight": "Evens the weights out",
        "SkippedKeepTheirArrival": "Draws again for each attempt alone, so that whoever was passed over goes first",
        "TurnsWeightsRound": "Takes the priority for the weight",
        "WeighsByRank": "Gives the best priority as many shares as there are priorities, the next one less, the last one",  # noqa: E501 - generated
    },
    "SCH-05": {
        "DrawsAmongTheFirst": "``LIMIT 50`` before the draw",
        "HeaviestFirst": "Takes the heaviest for the likeliest",
        "NeverTheLightest": "Starves whoever is last",
        "WholeWeights": "Counts shares in whole numbers, of which the lightest have none",
    },
    "SCH-06": {
        "StrategiesSelectThenUpdate": "Has one strategy that selects in one transaction and updates in another",
        "DrawsForAnyWorker": "Compares capabilities under every strategy but the random one",
        "FifoForgetsTheStatus": "Serves the oldest row under FIFO when nothing is queued, whatever became of it",
        "LifoCountsNoAttempt": "Counts attempts under every strategy but LIFO",
        "LifoRobsLiveHolders": "Takes the newest task under LIFO, whoever holds it",
        "PriorityKnowsNoDelay": "Serves what is most urgent before it is due",
        "ReturnsAnId": "Returns the id of the task where the contract asks for the task",
        "ServesNobody": "Returns None under every strategy, known or not",
    },
    "SCH-07": {
        "LooksUpTheStrategy": "Lets the dictionary of strategies raise its own error",
        "NamesNoStrategy": "Refuses an unknown strategy without saying which are known",
        "RefusesAfterTheClaim": "Claims as FIFO, and then says that it does not know the strategy",
        "ServesNobody": "Returns None under every strategy, known or not",
        "TakesEmptyForFifo": "Serves FIFO where no name is given",
        "TakesUnknownForFifo": "Serves FIFO under a name that it does not know",
    },
    "SCH-08": {
        "ChoosesInPython": "Reads all that waits, and serves the first",
        "CountsBeforeItClaims": "Asks first how many tasks there are",
        "SortsTheBacklog": "Orders by an expression that no index holds, so that each claim sorts all that waits",
        "WalksPastTheDelayed": "Goes by the order of submission, and so past everything that is not due yet",
    },
    "OBS-01": {
        "CountsOneTooMany": "Counts one queued task more than there are",
    },
    "OBS-02": {
        "CountsOneStatusAfterTheOther": "A SELECT for each status, each with a snapshot of its own",
        "CountsOneStatusAfterAnother": "Counts each status by a query of its own, outside a transaction",
    },
    "OBS-03": {
        "CountsAndWrites": "Writes to the tasks that it counts",
        "CountsWithTheLock": "Counts inside a write transaction, so that nothing changes meanwhile",
    },
    "OBS-04": {
        "CountsSlowlyWithTheLock": "Takes its time over a count inside a write transaction",
    },
    "MNT-01": {
        "DeletesDeadLetters": "Deletes whatever finished long ago, dead letters too",
    },
    "MNT-02": {
        "CountsWhatItRead": "Returns how many it meant to delete, and another may have been faster",
        "DeletesUpToTheLast": "Takes every id before the last old one for an old one",
        "CountsBeforeItDeletes": "Counts what is old, then deletes what is old by then",
    },
    "MNT-03": {
        "BatchesEachStateTogether": "Deletes a batch of each state in one transaction, three of them together",
        "BatchesInOneTransaction": "Deletes in batches, and commits once at the end",
        "DeletesAllAtOnce": "Deletes what is old in one statement",
        "DeletesInLargeBatches": "Deletes two thousand rows a transaction",
        "DeletesWithoutAWord": "Deletes, and does not say how much",
    },
    "MNT-04": {
        "MarksBeforeItDeletes": "Marks what is old in one transaction and deletes what it marked in the next",
        "RemembersHowFarItCame": "Notes the last id to delete before it deletes, and begins behind it next time",
    },
    "MNT-05": {
        "ReclaimsEverything": "Takes back live leases as well as those that are over",
        "ReclaimsAfterALook": "Looks for over leases, then takes them back by id",
    },
    "MNT-06": {
        "ReclaimsAfterALook": "Looks for over leases, then takes them back by id",
    },
    "MNT-07": {
        "CleansNothing": "Deletes nothing and says so",
        "CountsTheLogs": "Counts the log rows that went with the tasks",
        "DeletesWithoutAWord": "Deletes, and does not say how much",
        "KeepsWhatHasLogs": "Deletes only tasks that nothing refers to",
        "LeavesLogsBehind": "Deletes on a connection of its own, where foreign keys are off as SQLite has them",
        "TripsOverLogs": "Logs into a table of its own, which nobody cleans before the tasks",
    },
    "DUR-01": {
        "LeavesSyncingToTheSystem": "Promises the same with all syncing left to the operating system",
        "PromisesPowerAndRunsNormal": "Promises that a power cut loses nothing, and leaves syncing to checkpoints",
    },
    "DUR-02": {
        "EnqueuesABatchOneByOne": "Each item of a batch has a transaction of its own",
        "KeepsItsLockAfterAnError": "A claim that fails never gives its lock back, and every later one is refused",
        "SaysCompletedWhateverHappens": "A completion that cannot be stored is reported as one that was",
        "TakesAnErrorForAnEmptyQueue": "A claim that fails returns None",
    },
    "LAT-01": {
        "EnqueuesSlowly": "Takes twenty milliseconds for each enqueue",
    },
    "LAT-02": {
        "ClaimsSlowly": "Takes ten milliseconds for each claim",
    },
    "LAT-03": {
        "RenewsBusily": "Computes for ten milliseconds before each renewal",
    },
    "LAT-04": {
        "CountsSlowly": "Takes a tenth of a second for the statistics",
    },
    "LAT-05": {
        "AsksNowAndThen": "Waits for four seconds before each claim, so as not to disturb the queue",
        "StepsBack": "To keep out of each other's way, a worker waits the longer before each claim the higher its number is",  # noqa: E501 - generated
    },
    "LAT-06": {
        "ScansBeforeItClaims": "Looks at every task that waits before each claim",
    },
    "LAT-07": {
        "DoesNotWait": "Opens a connection of its own that gives up at the first lock",
        "AsksOnce": "A claim asks for the lock once, and tells its caller in its own words that another was faster",
    },
}
