package io.troth.chaos.explore;

import io.troth.core.GlobalTxId;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * What exists in an explored world and what may happen in it. Everything that a long run could count up without end is
 * either folded by the core's {@code encodeFolded} (attempts, lists of prepared xids, delays, sweeps) or has a budget
 * here: epochs, lives of an agent, streams between an agent and a leader, and how often a call is executed.
 */
final class Scope {

    /** What the network and the clocks may do; what is not named does not happen. */
    enum May {
        /** An agent notices that its stream is gone. */
        AGENT_LOSES_STREAM,
        /** An agent leaves its leader and dials a newer one, in one step. */
        AGENT_MOVES,
        /** A leader notices that an agent's stream is gone. */
        LEADER_LOSES_STREAM,
        /** A leader that is deposed, or whose append failed, learns it. */
        LEADER_LEARNS_ITS_END,
        /** The leader of epoch 1 notices that the client's stream is gone, and the client resumes on another. */
        CLIENT_LOSES_STREAM,
        /** An agent process dies; while it has lives left another instance takes its place. */
        AGENT_DIES,
        /** T runs out of time at the leader. */
        LEADER_DEADLINE,
        /** T runs out of time at an agent. */
        AGENT_DEADLINE,
        /** An agent tries once more what its database did not answer. */
        DATABASE_RETRIES,
        /** The other timers of leaders, except those below. */
        LEADER_TIMERS,
        /** The session is too old for new transactions. */
        SESSION_AGES,
        /** The outcome retention is over. */
        RETENTION_ENDS,
        /** An agent forgets results that it has kept. */
        KEPT_RESULTS_AGE,
        /** An agent lists what is prepared. */
        SCANS,
        /** A list of prepared xids is read at one time and arrives at another. */
        SCANS_TAKE_TIME,
        /** The rollback of an unprepared branch takes time. */
        ROLLBACKS_TAKE_TIME,
        /**
         * What a leader has said reaches the instance even when the stream is over that it was said on. No transport
         * does that; the core is safe all the same, because it looks at epochs.
         */
        MESSAGES_OUTLIVE_STREAMS,
        /** Prepares and commits take time. */
        DATABASES_TAKE_TIME,
        /** Between dialling, hello and welcome other things happen. */
        CONNECTING_TAKES_TIME,
        /** A new leader is not ready at once, and a durable entry is applied later. */
        APPLYING_TAKES_TIME,
        /** A look-up in the log is answered later. */
        LOOKUPS_TAKE_TIME,
        /** A lost COMMIT is proposed again in a later epoch. */
        LOG_PROPOSES_AGAIN,
        /** The client gives T up before it has asked for commit. */
        CLIENT_ROLLS_BACK,
        /** The client tells what has ended on its side, and closes its session after the last transaction. */
        CLIENT_ENDS,
        /** The client opens a session at the leader of epoch 2 too, while its old one may still be open. */
        CLIENT_GOES_ON,
        /** Somebody asks for the outcome who does not know what T consists of. */
        STRANGER_ASKS,
        /** Somebody asks who has been told what T consists of so far. */
        CONFIDANT_ASKS,
        /**
         * A branch is announced whose end in place has begun, or T is heard of elsewhere after its votes were brought. No client
         * library does that; the core is safe all the same, because it is too late.
         */
        ANNOUNCED_LATE,
        /** The log is restored from a backup of its first entry, with the restore command: DISTRUST. */
        LOG_IS_RESTORED
    }

    /**
     * A call under T.
     *
     * @param tx number of the transaction
     * @param resource number of the resource that it works on
     * @param writes false when it only reads
     * @param executions how often it may be executed, by one instance or by several
     */
    record Call(int tx, int resource, boolean writes, int executions) {}

    final String name;
    final String says;
    final List<Call> calls = new ArrayList<>();
    /** The resource that each agent process wraps. */
    final List<Integer> agents = new ArrayList<>();

    final Set<May> may = EnumSet.noneOf(May.class);
    final Set<Fault> faults = EnumSet.of(Fault.NONE);
    int epochs = 2;
    /** Instances one after the other in the place of each agent. */
    int lives = 1;
    /** Streams one after the other between an instance and the leader of epoch 1; 1 to each later one. */
    int streams = 1;

    /** From this transaction on they are of epoch 2 and the client's session there. */
    private int laterFrom = Integer.MAX_VALUE;

    int window = 8;
    /** How many worlds of it the default build explores. */
    int states = 30_000;

    boolean onePhase = true;
    boolean waitCompleted;
    boolean proofs;
    boolean inPlace;
    /** How many agents are in the client's process: the first ones. */
    private int within;

    Scope(String name, String says) {
        this.name = name;
        this.says = says;
    }

    /** Adds an agent process that wraps resource number {@code resource}. */
    Scope agent(int resource) {
        agents.add(resource);
        return this;
    }

    /** Adds a call of transaction number {@code tx}. */
    Scope call(int tx, int resource, boolean writes, int executions) {
        calls.add(new Call(tx, resource, writes, executions));
        return this;
    }

    Scope may(May... kinds) {
        may.addAll(List.of(kinds));
        return this;
    }

    Scope faults(Fault... kinds) {
        faults.addAll(List.of(kinds));
        return this;
    }

    Scope epochs(int count) {
        epochs = count;
        return this;
    }

    Scope lives(int count) {
        lives = count;
        return this;
    }

    Scope streams(int count) {
        streams = count;
        return this;
    }

    /** So many transactions of the session may be open at a time. */
    Scope window(int count) {
        window = count;
        return this;
    }

    /** The default build explores so many worlds of this scope. */
    Scope states(int count) {
        states = count;
        return this;
    }

    /** The transactions from this number on are of the client's session at the leader of epoch 2. */
    Scope later(int tx) {
        laterFrom = tx;
        return may(May.CLIENT_GOES_ON);
    }

    /** The client allows no commit in one phase. */
    Scope twoPhaseAlways() {
        onePhase = false;
        return this;
    }

    /** The client waits until all branches are done, not only until the decision. */
    Scope waitsForCompletion() {
        waitCompleted = true;
        return this;
    }

    /** Agent 0 is in the client's process. */
    Scope inPlace() {
        return inPlace(1);
    }

    /**
     * So many agents, the first ones, are in the client's process, which dies as a whole, and the client's transactions may end in
     * place: it makes the calls to those agents itself, and other calls only after it has shared T.
     */
    Scope inPlace(int count) {
        inPlace = true;
        within = count;
        return this;
    }

    /** Whether an agent is in the client's process. */
    boolean isClients(int agent) {
        return agent < within;
    }

    /** The databases give proofs (protocol 7.1). */
    Scope proofs() {
        proofs = true;
        return this;
    }

    boolean can(May kind) {
        return may.contains(kind);
    }

    int resources() {
        return 1 + agents.stream().mapToInt(Integer::intValue).max().orElse(0);
    }

    int transactions() {
        return 1 + calls.stream().mapToInt(Call::tx).max().orElse(0);
    }

    /** In which epoch transaction number {@code tx}, counted from 0, is begun. */
    int epochOf(int tx) {
        return tx < laterFrom ? 1 : 2;
    }

    /** The id of transaction number {@code tx}. The sequences of each session begin at 1, as do its numbers. */
    GlobalTxId id(int tx) {
        int first = tx < laterFrom ? 0 : laterFrom;
        return new GlobalTxId(0, Names.epoch(epochOf(tx)), Names.SESSION, tx - first + 1L);
    }

    int indexOf(GlobalTxId tx) {
        return (int) tx.sequence() - 1 + (tx.epoch().number() == 1 ? 0 : laterFrom);
    }

    /** Whether it is the last of its session. */
    boolean isLast(int tx) {
        return tx == transactions() - 1 || epochOf(tx + 1) > epochOf(tx);
    }

    /** The numbers of the calls of transaction {@code tx}. */
    List<Integer> callsOf(int tx) {
        List<Integer> numbers = new ArrayList<>();
        for (int k = 0; k < calls.size(); k++) {
            if (calls.get(k).tx() == tx) {
                numbers.add(k);
            }
        }
        return numbers;
    }
}
