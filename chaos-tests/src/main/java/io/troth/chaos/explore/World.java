package io.troth.chaos.explore;

import io.troth.chaos.explore.Scope.May;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import io.troth.core.participant.AgentAction;
import io.troth.core.participant.AgentEvent;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * All parts together. A world is an array of numbers, one for the state of each part: {@link #log}, {@link #answers},
 * then the leaders, the agents, the databases, the clients, and the inboxes. This class says what a step does to it.
 */
final class World {

    final Scope scope;
    final Things<Object> things = new Things<>();
    final Streams streams;
    final Inboxes inboxes;
    final MessageSets sets = new MessageSets();
    final Leaders leaders;
    final Agents agents;
    final Databases databases;
    final Logs logs;
    final Clients clients;
    final int size;

    private final int agents0;
    private final int databases0;
    private final int clients0;
    private final int inboxes0;

    /** Where messages go instead of into the inboxes, in pairs of place and message; null while exploring. */
    @Nullable
    Deque<Integer> queue;

    /** What the last step has broken. */
    @Nullable
    String wrong;

    World(Scope scope) {
        this.scope = scope;
        streams = new Streams(scope);
        inboxes = new Inboxes(scope);
        leaders = new Leaders(scope, streams, things);
        agents = new Agents(scope, streams, things, inboxes);
        databases = new Databases(scope, things);
        logs = new Logs(things);
        clients = new Clients(scope, things, inboxes);
        agents0 = 2 + scope.epochs + 1;
        databases0 = agents0 + scope.agents.size();
        clients0 = databases0 + scope.resources();
        inboxes0 = clients0 + scope.transactions();
        size = inboxes0 + scope.agents.size() + scope.epochs + 1 + scope.transactions();
    }

    /** The queue of a completion. */
    Deque<Integer> queue() {
        Deque<Integer> present = queue;
        if (present == null) {
            throw new IllegalStateException("nothing is queued while exploring");
        }
        return present;
    }

    int log() {
        return 0;
    }

    int answers() {
        return 1;
    }

    int leader(int epoch) {
        return 1 + epoch;
    }

    int agent(int agent) {
        return agents0 + agent;
    }

    int database(int resource) {
        return databases0 + resource;
    }

    int client(int tx) {
        return clients0 + tx;
    }

    int inbox(int place) {
        return inboxes0 + place;
    }

    Logs.State logOf(int[] world) {
        return logs.get(world[log()]);
    }

    Leaders.State leaderOf(int[] world, int epoch) {
        return leaders.get(world[leader(epoch)]);
    }

    Agents.State agentOf(int[] world, int agent) {
        return agents.get(world[agent(agent)]);
    }

    Clients.State clientOf(int[] world, int tx) {
        return clients.get(world[client(tx)]);
    }

    /** The leader of epoch 1 is ready, every agent has its welcome, the client has its session. */
    int[] first() {
        int[] world = new int[size];
        world[log()] = logs.empty();
        for (int r = 0; r < scope.resources(); r++) {
            world[database(r)] = databases.empty();
        }
        for (int t = 0; t < scope.transactions(); t++) {
            world[client(t)] = clients.first(t);
        }
        for (int i = 0; i < scope.agents.size(); i++) {
            absorbAgent(world, i, agents.started(i));
        }
        queue = new ArrayDeque<>();
        elect(world, logs.begin(world[log()], 0));
        deliverAll(world);
        leader(world, 1, things.number(clients.opensSession(1)));
        for (int i = 0; i < scope.agents.size(); i++) {
            agent(world, i, things.number(new Agents.Dials(1, false)));
        }
        deliverAll(world);
        queue = null;
        return world;
    }

    /** Delivers everything in the queue, in order, and lets the log do what it has to. */
    void deliverAll(int[] world) {
        Deque<Integer> waiting = queue();
        boolean moved = true;
        while (moved && wrong == null) {
            moved = false;
            while (!waiting.isEmpty() && wrong == null) {
                int place = waiting.remove();
                deliver(world, place, waiting.remove());
                moved = true;
            }
            moved |= moveLog(world);
        }
    }

    private void deliver(int[] world, int place, int message) {
        if (inboxes.isLeader(place)) {
            int epoch = inboxes.epochOf(place);
            if (epoch == logOf(world).epoch()) {
                leader(world, epoch, message);
            }
        } else if (place < scope.agents.size() && agentOf(world, place).alive) {
            agent(world, place, message);
        }
    }

    /** The log advances, its leader applies and looks up; false when there is nothing to do. */
    private boolean moveLog(int[] world) {
        int epoch = logOf(world).epoch();
        if (!logOf(world).flying().isEmpty()) {
            world[log()] = logs.advance(world[log()]);
            return true;
        }
        Leaders.State leader = leaderOf(world, epoch);
        LogEntry entry = logOf(world).ofEpoch(epoch, leader.applied);
        if (entry != null) {
            leader(world, epoch, things.number(entry));
            return true;
        }
        if (!leader.fetching.isEmpty()) {
            GlobalTxId tx = leader.fetching.iterator().next();
            leader(
                    world,
                    epoch,
                    things.number(new Event.CommitFetched(tx, logOf(world).find(tx, epoch))));
            return true;
        }
        return false;
    }

    /** Does this step to the world. What it breaks is in {@link #wrong}. */
    void take(int[] world, int step) {
        wrong = null;
        int actor = Step.actor(step);
        int input = Step.input(step);
        switch (Step.kind(step)) {
            case Step.LOG_ADVANCES -> {
                world[log()] = logs.advance(world[log()]);
                applyAtOnce(world);
            }
            case Step.LOG_PROPOSES_AGAIN -> {
                world[log()] = logs.proposeAgain(world[log()]);
                applyAtOnce(world);
            }
            case Step.LOG_IS_RESTORED -> elect(world, logs.restore(world[log()]));
            case Step.ELECTION -> elect(world, logs.begin(world[log()], input));
            case Step.LEADER -> leader(world, actor, input);
            case Step.AGENT -> agent(world, actor, input);
            case Step.DATABASE_ANSWERS -> answer(world, actor, input, Fault.of(Step.fault(step)));
            case Step.DATABASE_SETTLES -> world[database(actor)] = databases.step(world[database(actor)], input);
            case Step.CLIENT -> client(world, actor, input);
            default -> throw new IllegalArgumentException("no such step: " + step);
        }
    }

    /** A new leader begins with what the log has kept. */
    void elect(int[] world, int log) {
        world[log()] = log;
        Logs.State state = logs.get(log);
        absorbLeader(world, state.epoch(), leaders.born(state.epoch(), state.recovered()));
        if (queue == null && !scope.can(May.APPLYING_TAKES_TIME)) {
            world[log()] = logs.advance(world[log()]);
            applyAtOnce(world);
        }
    }

    /** The present leader applies what is durable, where that takes no time. */
    private void applyAtOnce(int[] world) {
        int epoch = logOf(world).epoch();
        while (!scope.can(May.APPLYING_TAKES_TIME) && wrong == null) {
            LogEntry entry = logOf(world).ofEpoch(epoch, leaderOf(world, epoch).applied);
            if (entry == null) {
                return;
            }
            leader(world, epoch, things.number(entry));
        }
    }

    void leader(int[] world, int epoch, int input) {
        absorbLeader(world, epoch, leaders.step(world[leader(epoch)], input));
    }

    private void absorbLeader(int[] world, int epoch, Move move) {
        note(move.wrong());
        world[leader(epoch)] = move.next();
        world[answers()] |= move.answers();
        for (LogRecord record : move.records()) {
            world[log()] = logs.append(world[log()], epoch, record);
        }
        LogRecord.Horizon horizon = move.purge();
        if (horizon != null && epoch == logOf(world).epoch()) {
            world[log()] = logs.purge(world[log()], horizon);
        }
        post(world, move);
        Leaders.State leader = leaderOf(world, epoch);
        if (!leader.fetching.isEmpty() && queue == null && !scope.can(May.LOOKUPS_TAKE_TIME)) {
            GlobalTxId tx = leader.fetching.iterator().next();
            leader(
                    world,
                    epoch,
                    things.number(new Event.CommitFetched(tx, logOf(world).find(tx, epoch))));
        }
    }

    private void client(int[] world, int tx, int input) {
        Move move = clients.step(world[client(tx)], input);
        world[client(tx)] = move.next();
        world[answers()] |= move.answers();
        post(world, move);
    }

    void agent(int[] world, int agent, int input) {
        if (things.get(input) == Agents.Turn.DIES) {
            die(world, agent, input);
            return;
        }
        int stream = agentOf(world, agent).stream;
        Move move = agents.step(world[agent(agent)], input);
        if (stream != agents.get(move.next()).stream && !scope.can(May.MESSAGES_OUTLIVE_STREAMS)) {
            world[inbox(inboxes.agent(agent))] = MessageSets.EMPTY;
        }
        absorbAgent(world, agent, move);
    }

    /** A process ends. With the client all the agents do that are in one with it; what takes their places is by itself. */
    private void die(int[] world, int agent, int dies) {
        boolean withClient = isWithClient(world, agent);
        for (int i = 0; i < scope.agents.size(); i++) {
            if (i == agent || (withClient && isWithClient(world, i))) {
                world[inbox(inboxes.agent(i))] = MessageSets.EMPTY;
                absorbAgent(world, i, agents.step(world[agent(i)], dies));
            }
        }
        for (int t = 0; t < scope.transactions() && withClient; t++) {
            client(world, t, things.number(Clients.Step.DIES));
        }
        for (int i = 0; i < scope.agents.size(); i++) {
            if (!agentOf(world, i).alive && agentOf(world, i).life + 1 < scope.lives) {
                absorbAgent(world, i, agents.step(world[agent(i)], things.number(Agents.Turn.STARTS)));
            }
        }
    }

    private boolean isWithClient(int[] world, int agent) {
        return scope.isClients(agent) && agentOf(world, agent).life == 0;
    }

    private void absorbAgent(int[] world, int agent, Move move) {
        note(move.wrong());
        world[agent(agent)] = move.next();
        int database = database(scope.agents.get(agent));
        for (int input : move.database()) {
            world[database] = databases.step(world[database], input);
        }
        post(world, move);
        for (int asked : agentOf(world, agent).askedInputs) {
            if (wrong == null && answersAtOnce((AgentAction) things.get(asked))) {
                answer(world, agent, asked, Fault.NONE);
                return;
            }
        }
    }

    /** What takes no time in this scope. */
    boolean answersAtOnce(AgentAction action) {
        if (action instanceof AgentAction.Rollback) {
            return !scope.can(May.ROLLBACKS_TAKE_TIME);
        } else if (action instanceof AgentAction.ListPrepared) {
            return !scope.can(May.SCANS_TAKE_TIME);
        } else if (action instanceof AgentAction.AskDatabase) {
            return true;
        }
        return !scope.can(May.DATABASES_TAKE_TIME);
    }

    /** The agent's database does what it was asked for, in this way. */
    void answer(int[] world, int agent, int asked, Fault fault) {
        int database = database(scope.agents.get(agent));
        AgentAction action = (AgentAction) things.get(asked);
        if (action instanceof AgentAction.ListPrepared list && !answersAtOnce(action) && queue == null) {
            AgentEvent read = databases.listed(world[database], list.resource());
            absorbAgent(world, agent, agents.step(world[agent(agent)], things.number(new Agents.Reads(action, read))));
            return;
        }
        Databases.Answer answer = databases.answer(world[database], asked, fault);
        if (answer != null) {
            world[database] = answer.next();
            absorbAgent(world, agent, agents.step(world[agent(agent)], answer.answered()));
        }
    }

    private void post(int[] world, Move move) {
        int[] sends = move.sends();
        boolean atOnceConnecting = !scope.can(May.CONNECTING_TAKES_TIME);
        for (int i = 0; i < sends.length; i += 2) {
            if (isWithin(sends[i], things.get(sends[i + 1]))) {
                if (inboxes.isClient(sends[i])) {
                    client(world, inboxes.txOf(sends[i]), sends[i + 1]);
                } else {
                    agent(world, sends[i], sends[i + 1]);
                }
            } else if (queue != null) {
                queue.add(sends[i]);
                queue.add(sends[i + 1]);
            } else if (atOnceConnecting && isConnecting(things.get(sends[i + 1]))) {
                if (inboxes.isLeader(sends[i])) {
                    leader(world, inboxes.epochOf(sends[i]), sends[i + 1]);
                } else {
                    agent(world, sends[i], sends[i + 1]);
                }
            } else {
                int inbox = inbox(sends[i]);
                world[inbox] = sets.add(world[inbox], sends[i + 1]);
            }
        }
    }

    /** Said by the client to the agent in its process, or by that to the client: no network is between them. */
    private boolean isWithin(int place, Object message) {
        return message instanceof Agents.EndedInPlace
                || message instanceof Clients.Voted
                || (scope.inPlace && message instanceof AgentEvent && !inboxes.isLeader(place))
                || (message instanceof Agents.Reply reply && scope.isClients(Agents.agentOf(reply.branch())));
    }

    private static boolean isConnecting(Object message) {
        return message instanceof Event.AgentConnected
                || (message instanceof Agents.Said said && said.message() instanceof AgentMessage.Welcome);
    }

    private void note(@Nullable String what) {
        if (what != null && wrong == null) {
            wrong = what;
        }
    }

    /** The branches in a database. */
    List<Databases.Branch> branches(int[] world, int resource) {
        return databases.get(world[database(resource)]);
    }
}
