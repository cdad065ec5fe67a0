package io.troth.chaos.sim;

import io.troth.chaos.sim.world.Connection;
import io.troth.chaos.sim.world.Fault;
import io.troth.chaos.sim.world.SimProcess;
import io.troth.chaos.sim.world.World;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.RequestId;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A client's stream to whichever coordinator it has found; the next one is dialled when it breaks. One thread. */
final class ClientStream {

    private static final long MILLI = 1_000_000;

    /** Who uses it. */
    interface User {
        void connected();

        void disconnected();

        void hear(ClientMessage message);
    }

    private final Run run;
    private final World world;
    private final SimProcess process;
    private final User user;

    private Connection.@Nullable End stream;
    private @Nullable SimulatedCoordinator peer;
    private long correlation;

    ClientStream(Run run, SimProcess process, User user) {
        this.run = run;
        this.world = run.world;
        this.process = process;
        this.user = user;
    }

    boolean isUp() {
        return stream != null;
    }

    /** The process has died. */
    void forget() {
        stream = null;
        peer = null;
    }

    void dialLater(long nanos) {
        world.after(nanos + world.shortDelay(), process, () -> "dials", this::dial);
    }

    private void dial() {
        if (stream != null) {
            return;
        }
        SimulatedCoordinator found = run.anyCoordinator();
        if (!run.reaches(process, found.process())) {
            dialLater(world.random().nextLong(50 * MILLI, 1_000 * MILLI));
            return;
        }
        Connection connection = world.network().connect(process, found.process());
        Connection.End mine = connection.dialer();
        stream = mine;
        peer = found;
        mine.onBreak(() -> broken(mine));
        Consumer<ClientMessage> hears = message -> {
            if (mine.equals(stream)) {
                user.hear(message);
            }
        };
        mine.send(() -> "accepts " + process, () -> found.client(connection.server(), hears));
        user.connected();
    }

    private void broken(Connection.End which) {
        if (which.equals(stream)) {
            stream = null;
            peer = null;
            user.disconnected();
            dialLater(world.random().nextLong(50 * MILLI, 500 * MILLI));
        }
    }

    void hangUp() {
        Connection.End mine = stream;
        if (mine != null) {
            mine.breakHere();
        }
    }

    /** A number for something that will be answered. */
    long nextCorrelation() {
        return ++correlation;
    }

    /** Says something; its stream's id is known to the coordinator only. */
    void say(Supplier<String> what, Function<RequestId, Event> event) {
        say(what, nextCorrelation(), event);
    }

    void say(Supplier<String> what, long number, Function<RequestId, Event> event) {
        Connection.End mine = stream;
        SimulatedCoordinator to = peer;
        if (mine != null && to != null) {
            int times = world.fault(Fault.MESSAGE_TWICE) ? 2 : 1;
            for (int i = 0; i < times; i++) {
                mine.send(
                        () -> "hears of " + process + ": " + what.get(),
                        () -> to.said(mine.peer(), id -> event.apply(new RequestId(id, number))));
            }
        }
    }
}
