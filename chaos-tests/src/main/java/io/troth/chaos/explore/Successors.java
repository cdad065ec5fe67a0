package io.troth.chaos.explore;

import io.troth.chaos.explore.Scope.May;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.TimerKey;
import io.troth.core.participant.AgentAction;
import io.troth.core.participant.AgentEvent;
import io.troth.core.participant.AgentTimerKey;

/** Everything that can happen next in a world, in a fixed order. Some of the steps may turn out to change nothing. */
@SuppressWarnings("EnumOrdinal") // Part of a step's number, and nothing is kept.
final class Successors {

    private static final Fault[] FAULTS = Fault.values();

    private final World world;
    private final Scope scope;
    private final int losesStream;
    private final int hearsList;
    private final int dies;
    private final int commits;
    private final int rollsBack;
    private final int commitsInPlace;
    private final int tells;
    private final int shares;
    private final int ends;
    private final int learns;
    private int[] steps = new int[64];
    private int count;

    Successors(World world) {
        this.world = world;
        scope = world.scope;
        losesStream = world.things.number(Agents.Turn.LOSES_STREAM);
        hearsList = world.things.number(Agents.Turn.HEARS_LIST);
        dies = world.things.number(Agents.Turn.DIES);
        commits = world.things.number(Clients.Step.COMMITS);
        rollsBack = world.things.number(Clients.Step.ROLLS_BACK);
        commitsInPlace = world.things.number(Clients.Step.COMMITS_IN_PLACE);
        tells = world.things.number(Clients.Step.TELLS);
        shares = world.things.number(Clients.Step.SHARES);
        ends = world.things.number(Clients.Step.ENDS);
        learns = world.things.number(new Event.LeadershipLost());
    }

    int count() {
        return count;
    }

    int step(int index) {
        return steps[index];
    }

    private void add(int step) {
        if (count == steps.length) {
            steps = java.util.Arrays.copyOf(steps, 2 * count);
        }
        steps[count++] = step;
    }

    /** Finds the steps of this world; until the next call they are there to be read. */
    void of(int[] at) {
        count = 0;
        Logs.State log = world.logOf(at);
        for (int t = 0; t < scope.transactions(); t++) {
            client(at, t);
        }
        for (int i = 0; i < scope.agents.size(); i++) {
            Agents.State agent = world.agentOf(at, i);
            if (agent.alive) {
                agent(at, i, agent, log);
            }
        }
        for (int r = 0; r < scope.resources(); r++) {
            for (int settles : world.databases.unsettled(at[world.database(r)])) {
                add(Step.of(Step.DATABASE_SETTLES, r, settles));
            }
        }
        for (int epoch = 1; epoch <= log.epoch(); epoch++) {
            leader(at, epoch, log);
        }
        log(log);
    }

    private void client(int[] at, int tx) {
        Clients.State client = world.clientOf(at, tx);
        if (client.by() == Clients.By.NOBODY) {
            return;
        }
        if (client.phase() == Clients.Phase.WORKING) {
            for (int reply : world.sets.of(at[world.inbox(world.inboxes.client(tx))])) {
                add(Step.of(Step.CLIENT, tx, reply));
            }
            if (client.mayCommit()) {
                add(Step.of(Step.CLIENT, tx, commits));
            }
            if (client.mayCommitInPlace()) {
                add(Step.of(Step.CLIENT, tx, commitsInPlace));
            }
            if (client.by() == Clients.By.CLIENT) {
                add(Step.of(Step.CLIENT, tx, shares));
            }
            if (scope.can(May.CLIENT_ROLLS_BACK)) {
                add(Step.of(Step.CLIENT, tx, rollsBack));
            }
        }
        if (scope.can(May.ANNOUNCED_LATE) && client.isTaken()) {
            add(Step.of(Step.CLIENT, tx, shares));
        }
        int answers = Answers.of(at[world.answers()], tx);
        if (client.mayTell() && (answers & Answers.COMMITTED) != 0) {
            add(Step.of(Step.CLIENT, tx, tells));
        }
        boolean asked = !scope.inPlace || client.phase() != Clients.Phase.WORKING;
        boolean told = asked && answers != 0;
        if (scope.can(May.CLIENT_ENDS) && !client.over() && (told || client.phase() == Clients.Phase.ROLLBACK)) {
            add(Step.of(Step.CLIENT, tx, ends));
        }
    }

    private void agent(int[] at, int i, Agents.State agent, Logs.State log) {
        int state = at[world.agent(i)];
        for (int message : world.sets.of(at[world.inbox(world.inboxes.agent(i))])) {
            if (!world.agents.step(state, message).isNothing(state)) {
                add(Step.of(Step.AGENT, i, message));
            }
        }
        for (int timer : agent.timerInputs) {
            if (mayFire(((AgentEvent.TimerFired) world.things.get(timer)).key())) {
                add(Step.of(Step.AGENT, i, timer));
            }
        }
        calls(at, i);
        for (int asked : agent.askedInputs) {
            for (Fault fault : FAULTS) {
                if (scope.faults.contains(fault) && (fault == Fault.NONE || mayFail(asked))) {
                    add(Step.of(Step.DATABASE_ANSWERS, i, fault.ordinal(), asked));
                }
            }
        }
        if (agent.list != null) {
            add(Step.of(Step.AGENT, i, hearsList));
        }
        boolean open = agent.stream != Agents.NO_STREAM;
        if (open && scope.can(May.AGENT_LOSES_STREAM)) {
            add(Step.of(Step.AGENT, i, losesStream));
        }
        if (!open || scope.can(May.AGENT_MOVES)) {
            for (int epoch = open ? world.streams.epoch(agent.stream) + 1 : 1; epoch <= log.epoch(); epoch++) {
                if (agent.dialled.get(epoch - 1) < (epoch == 1 ? scope.streams : 1)) {
                    add(Step.of(Step.AGENT, i, world.things.number(new Agents.Dials(epoch, false))));
                }
            }
        }
        if (scope.can(May.AGENT_DIES)) {
            add(Step.of(Step.AGENT, i, dies));
        }
    }

    private boolean mayFail(int asked) {
        return !(world.things.get(asked) instanceof AgentAction.ListPrepared);
    }

    private void calls(int[] at, int i) {
        int resource = scope.agents.get(i);
        for (int k = 0; k < scope.calls.size(); k++) {
            Scope.Call call = scope.calls.get(k);
            Clients.State client = world.clientOf(at, call.tx());
            if (call.resource() == resource && hasBegun(at, call.tx()) && mayCall(client, i)) {
                int done = world.databases.executions(at[world.database(resource)], k);
                if (done < call.executions()) {
                    boolean inPlace = client.by() == Clients.By.CLIENT;
                    add(Step.of(Step.AGENT, i, world.things.number(new Agents.Executes(k, done, inPlace))));
                }
            }
        }
    }

    /** A call to another process may come late; the client's own end with the client, and before T leaves it nobody calls. */
    private boolean mayCall(Clients.State client, int agent) {
        boolean late = scope.can(May.ANNOUNCED_LATE);
        return scope.isClients(agent)
                ? client.phase() == Clients.Phase.WORKING && client.by() != Clients.By.NOBODY
                : !scope.inPlace
                        || (client.by() == Clients.By.LEADER && (client.votes().isEmpty() || late));
    }

    /** The client runs the transactions of a session one after the other. */
    private boolean hasBegun(int[] at, int tx) {
        int epoch = scope.epochOf(tx);
        if (tx == 0) {
            return true;
        } else if (scope.epochOf(tx - 1) == epoch) {
            return world.clientOf(at, tx - 1).over();
        }
        return epoch <= world.logOf(at).epoch() && world.leaderOf(at, epoch).sessions > 0;
    }

    private boolean mayFire(AgentTimerKey key) {
        return scope.can(
                key instanceof AgentTimerKey.Deadline
                        ? May.AGENT_DEADLINE
                        : key instanceof AgentTimerKey.Scan
                                ? May.SCANS
                                : key instanceof AgentTimerKey.KeptSweep ? May.KEPT_RESULTS_AGE : May.DATABASE_RETRIES);
    }

    private boolean mayFire(TimerKey key) {
        return scope.can(
                key instanceof TimerKey.Deadline
                        ? May.LEADER_DEADLINE
                        : key instanceof TimerKey.SessionAge
                                ? May.SESSION_AGES
                                : key instanceof TimerKey.Retention ? May.RETENTION_ENDS : May.LEADER_TIMERS);
    }

    private void leader(int[] at, int epoch, Logs.State log) {
        Leaders.State leader = world.leaderOf(at, epoch);
        if (leader.distrusted) {
            return;
        }
        int state = at[world.leader(epoch)];
        for (int message : world.sets.of(at[world.inbox(world.inboxes.leader(epoch))])) {
            if (!world.leaders.step(state, message).isNothing(state)) {
                add(Step.of(Step.LEADER, epoch, message));
            }
        }
        for (int timer : leader.timerInputs) {
            if (mayFire(((Event.TimerFired) world.things.get(timer)).key())) {
                add(Step.of(Step.LEADER, epoch, timer));
            }
        }
        LogEntry entry = log.ofEpoch(epoch, leader.applied);
        if (entry != null) {
            add(Step.of(Step.LEADER, epoch, world.things.number(entry)));
        }
        for (var tx : leader.fetching) {
            Event found = new Event.CommitFetched(tx, log.find(tx, epoch));
            add(Step.of(Step.LEADER, epoch, world.things.number(found)));
        }
        if (scope.can(May.LEADER_LOSES_STREAM)) {
            for (long open = leader.open(); open != 0; open &= open - 1) {
                int stream = Long.numberOfTrailingZeros(open);
                add(Step.of(Step.LEADER, epoch, world.things.number(new Event.AgentDisconnected(Streams.id(stream)))));
            }
        }
        if (scope.can(May.CLIENT_GOES_ON) && epoch == 2 && leader.ready && leader.sessions == 0) {
            add(Step.of(Step.LEADER, epoch, world.things.number(world.clients.opensSession(epoch))));
        }
        if (scope.can(May.LEADER_LEARNS_ITS_END) && epoch < log.epoch()) {
            add(Step.of(Step.LEADER, epoch, learns));
        }
        if (scope.can(May.CLIENT_LOSES_STREAM) && epoch == 1) {
            for (int again = 0; again < 2; again++) {
                Event lost = new Event.ClientDisconnected(Names.clientStream(1, again));
                add(Step.of(Step.LEADER, epoch, world.things.number(lost)));
            }
        }
        if (scope.can(May.STRANGER_ASKS)) {
            for (int t = 0; t < scope.transactions(); t++) {
                add(Step.of(Step.LEADER, epoch, world.things.number(world.clients.question(t, epoch))));
            }
        }
        if (scope.can(May.CONFIDANT_ASKS)) {
            for (int t = 0; t < scope.transactions(); t++) {
                Clients.State client = world.clientOf(at, t);
                if (client.mayConfide(scope)) {
                    add(Step.of(Step.LEADER, epoch, world.things.number(world.clients.question(client, epoch))));
                }
            }
        }
    }

    private void log(Logs.State log) {
        int flying = log.flying().size();
        if (flying > 0) {
            add(Step.of(Step.LOG_ADVANCES, 0, 0));
        }
        if (scope.can(May.LOG_PROPOSES_AGAIN) && !log.lost().isEmpty() && log.isOpen()) {
            add(Step.of(Step.LOG_PROPOSES_AGAIN, 0, 0));
        }
        if (log.epoch() == scope.epochs) {
            return;
        }
        if (scope.can(May.LOG_IS_RESTORED) && !log.isRestored()) {
            add(Step.of(Step.LOG_IS_RESTORED, 0, 0));
        }
        for (int kept = 0; kept < 1 << flying; kept++) {
            add(Step.of(Step.ELECTION, 0, kept));
        }
    }
}
