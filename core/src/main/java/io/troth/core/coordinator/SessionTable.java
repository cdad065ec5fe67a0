package io.troth.core.coordinator;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The client sessions of the leader's own epoch, and which client stream they hang on (protocol 4). */
final class SessionTable {

    /** In ascending order, because numbers are only counted up. */
    final Map<Long, ClientSession> byNumber = new LinkedHashMap<>();
    /** The sessions of each client stream. */
    final TreeMap<StreamId, TreeSet<Long>> byStream = new TreeMap<>();

    long next = 1;
    /** How many are not closed. A closed one waits for its last END, and has nothing that a limit would bound. */
    int open;

    @Nullable
    ClientSession find(long number) {
        return byNumber.get(number);
    }

    /** How many sessions hang on this client stream. */
    int countOf(StreamId stream) {
        TreeSet<Long> numbers = byStream.get(stream);
        return numbers == null ? 0 : numbers.size();
    }

    /** The lowest number that is still in the table, or the next one to be given. */
    long lowest() {
        return byNumber.isEmpty() ? next : byNumber.keySet().iterator().next();
    }

    void add(ClientSession session) {
        byNumber.put(session.number, session);
        next = Math.max(next, session.number + 1);
        if (!session.closed) {
            open++;
        }
    }

    void close(ClientSession session) {
        session.closed = true;
        open--;
        detach(session);
    }

    void attach(ClientSession session, StreamId stream) {
        session.streams.add(stream);
        byStream.computeIfAbsent(stream, key -> new TreeSet<>()).add(session.number);
    }

    private void detach(ClientSession session) {
        for (StreamId stream : List.copyOf(session.streams)) {
            detach(session, stream);
        }
    }

    void detach(ClientSession session, StreamId stream) {
        session.streams.remove(stream);
        TreeSet<Long> numbers = byStream.get(stream);
        if (numbers != null) {
            numbers.remove(session.number);
            if (numbers.isEmpty()) {
                byStream.remove(stream);
            }
        }
    }

    void remove(ClientSession session) {
        detach(session);
        byNumber.remove(session.number);
    }
}
