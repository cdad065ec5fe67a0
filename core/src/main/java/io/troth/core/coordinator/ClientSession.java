package io.troth.core.coordinator;

import io.troth.core.SessionKey;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * One client session (protocol 4). A closed one stays in the table, without results, until its last transaction has
 * ended and its last END is applied: the horizon must not pass it before.
 */
final class ClientSession {

    final long number;
    final SessionKey key;
    final String clientName;
    /** Whether its transactions may prepare or commit in place, unheard of here: then no word about those is certain. */
    final boolean commitsInPlace;

    /** The open transactions by sequence. */
    final TreeMap<Long, GlobalTransaction> open = new TreeMap<>();
    /** The kept results of ended sequences at or above {@link #lowestOpen}. */
    final TreeMap<Long, EndedTransaction> ended = new TreeMap<>();
    /** The agent streams on which a branch of this session has enlisted; they hear when it closes. */
    final TreeSet<StreamId> agents = new TreeSet<>();
    /**
     * The client's living streams on which it opened or resumed this; none while it is broken or when the session is closed.
     * One is the rule. What the client sent on a stream that it has given up can arrive after it resumed on the next, and
     * the end of the old one means nothing then.
     */
    final TreeSet<StreamId> streams = new TreeSet<>();

    long lowestOpen = 1;
    long highest;
    boolean closed;
    /** Too old: no sequence above {@link #agedHighest} starts any more. */
    boolean aged;

    long agedHighest;
    /** COMMITs of this session handed to the log whose END is not applied. */
    int unendedCommits;

    ClientSession(long number, SessionKey key, String clientName, boolean commitsInPlace) {
        this.number = number;
        this.key = key;
        this.clientName = clientName;
        this.commitsInPlace = commitsInPlace;
    }

    /** True when nothing of a closed session is under way any more. */
    boolean isOver() {
        return closed && open.isEmpty() && unendedCommits == 0;
    }

    /** True when this sequence has neither started nor ended and may still do one of both. */
    boolean isUnheard(long sequence) {
        return !closed && sequence >= lowestOpen && !open.containsKey(sequence) && !ended.containsKey(sequence);
    }

    /** Whether a branch of a transaction that is unheard of may be prepared, with a client that is about to ask for its commit. */
    boolean mayPrepareUnheard() {
        return commitsInPlace && !streams.isEmpty();
    }

    /** True when the sequence lies within the window that the session keeps. */
    boolean isWithin(long sequence, int window) {
        return sequence - lowestOpen < window;
    }

    void touch(long sequence) {
        highest = Math.max(highest, sequence);
    }
}
