package io.troth.core.joint;

import io.troth.core.coordinator.StreamId;
import java.util.function.Supplier;

/**
 * One stream between a leader and an agent or a client. Each end notices the break by itself; what was under way to the
 * end that has not noticed yet still arrives, or some of it.
 */
final class Link {

    final StreamId id;
    final SimulatedLeader leader;
    final Lane up = new Lane(true);
    final Lane down = new Lane(true);
    boolean peerOpen = true;
    boolean leaderOpen = true;

    private final JointRun run;
    private final Runnable peerNotices;
    private final Runnable leaderNotices;

    Link(JointRun run, StreamId id, SimulatedLeader leader, Runnable peerNotices, Runnable leaderNotices) {
        this.run = run;
        this.id = id;
        this.leader = leader;
        this.peerNotices = peerNotices;
        this.leaderNotices = leaderNotices;
        run.lanes.add(up);
        run.lanes.add(down);
    }

    void toLeader(Supplier<String> name, Runnable body) {
        if (peerOpen && leaderOpen) {
            up.add(name, body);
        }
    }

    void toPeer(Supplier<String> name, Runnable body) {
        if (peerOpen && leaderOpen) {
            down.add(name, body);
        }
    }

    /** The agent or client gives the stream up, or loses it. */
    void breakAtPeer() {
        if (!peerOpen) {
            return;
        }
        peerOpen = false;
        up.close();
        down.close();
        down.clear();
        if (leaderOpen) {
            if (run.chaos) {
                up.loseSome(run.random);
            }
            up.add(
                    () -> "leader " + leader.epoch.number() + " sees the end of stream " + id.value(),
                    this::breakAtLeader);
        }
        peerNotices.run();
    }

    void breakAtLeader() {
        if (!leaderOpen) {
            return;
        }
        leaderOpen = false;
        up.close();
        down.close();
        up.clear();
        if (peerOpen) {
            if (run.chaos) {
                down.loseSome(run.random);
            }
            down.add(() -> "stream " + id.value() + " ends", this::breakAtPeer);
        }
        leaderNotices.run();
    }
}
