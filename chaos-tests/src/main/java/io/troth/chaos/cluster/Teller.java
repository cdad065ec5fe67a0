package io.troth.chaos.cluster;

import io.troth.chaos.bank.Answer;
import io.troth.chaos.bank.Ledger;
import io.troth.chaos.bank.TransferRunner;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** The parent's hold on a {@link ClientChild}: orders go there, announcements and answers come back. Thread-safe. */
public final class Teller {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    /**
     * A transfer of a burst, just before its commit.
     *
     * @param number its number
     * @param text what moves where, for people
     */
    public record Announced(long number, String text) {}

    private final TrothProcess client;
    private final Ledger ledger = new Ledger();
    private final Map<String, Announced> announced = new ConcurrentHashMap<>();
    private final List<Consumer<Answer>> listeners = new CopyOnWriteArrayList<>();

    /** Hears the client from now on. */
    public Teller(TrothProcess client) {
        this.client = client;
        client.child().onLine(this::hear);
    }

    /** Hears every answer that comes from now on, on the thread that reads them. */
    public void onAnswer(Consumer<Answer> listener) {
        listeners.add(listener);
    }

    /** Every answer so far. */
    public Ledger ledger() {
        return ledger;
    }

    /** How many transfers were answered COMMITTED. */
    public long committed() {
        return ledger.count(Answer.Kind.COMMITTED);
    }

    /** Ordinary transfers run until {@link #pause()}, that many at a time; at most {@link TransferRunner#WORKERS}. */
    public void run(int threads) {
        client.child().send("run " + threads);
    }

    /** Returns when every transfer has its answer. */
    public void pause() {
        client.child().send("pause");
        client.child().awaitLine("PAUSED", LIMIT);
    }

    /** That many transfers at once on accounts of their own. Returns when all of them are about to commit. */
    public void burst(int count) {
        announced.clear();
        client.child().send("burst " + count);
        for (int i = 0; i < count; i++) {
            client.child().awaitLine("COMMITTING ", LIMIT);
        }
    }

    /** Returns when every transfer of the burst has its answer. */
    public void awaitBurstDone() {
        client.child().awaitLine("BURST-DONE", LIMIT);
    }

    /** The transfers of the last burst by their global transactions. */
    public Map<String, Announced> announced() {
        return Map.copyOf(announced);
    }

    /** Asks again about everything that was answered UNKNOWN. */
    public void settle() {
        client.child().send("settle");
        client.child().awaitLine("SETTLED", LIMIT);
    }

    private void hear(String line) {
        if (line.startsWith(Answer.PREFIX)) {
            Answer answer = Answer.parse(line);
            ledger.record(answer);
            listeners.forEach(listener -> listener.accept(answer));
        } else if (line.startsWith("COMMITTING ")) {
            List<String> words = List.of(line.split(" ", 4));
            announced.put(words.get(2), new Announced(Long.parseLong(words.get(1)), words.get(3)));
        }
    }
}
