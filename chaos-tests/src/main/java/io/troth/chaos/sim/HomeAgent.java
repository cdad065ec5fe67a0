package io.troth.chaos.sim;

import io.troth.chaos.sim.world.World;
import io.troth.client.context.InPlaceBranch;
import io.troth.core.BranchWork;
import io.troth.core.ErrorCode;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.coordinator.CommitContent;
import java.util.List;
import java.util.function.Consumer;

/**
 * The agent in a client's own process: what the client works on there it does under T's root scope, as an application does
 * with a wrapped data source, and what nobody else has heard of ends there. One thread.
 */
final class HomeAgent {

    private static final long MILLI = 1_000_000;

    private final Run run;
    private final World world;
    private final SimulatedAgent agent;

    HomeAgent(Run run, SimulatedAgent agent) {
        this.run = run;
        this.world = run.world;
        this.agent = agent;
    }

    /** Whether the client does this itself, instead of calling a service. */
    boolean takes(Call.Script script) {
        return Run.offers(agent, script) && world.random().nextInt(4) > 0;
    }

    /** Does what the script says under T's root scope. */
    void work(ClientTransaction tx, Call call, Runnable done) {
        SimulatedService service = agent.service();
        if (service == null) {
            throw new IllegalStateException(agent.process() + " is down, and works");
        }
        world.note(() -> agent.process() + " works on " + tx.id + " itself: " + call.script());
        disturb(tx);
        service.work(tx.root, call, reply -> {
            List<BranchWork> listed = reply.list().branches();
            reply.done().forEach((branch, calls) -> {
                if (listed.stream().anyMatch(work -> work.branch().equals(branch))) {
                    // Whatever it does there is one call to the branch.
                    calls.stream()
                            .filter(number -> number != call.context().call() || tx.own.add(branch))
                            .forEach(number -> run.ledger.seen(tx.id, branch, number));
                }
            });
            done.run();
        });
    }

    /** What others do meanwhile. */
    private void disturb(ClientTransaction tx) {
        int dice = world.random().nextInt(24);
        if (dice == 0) {
            later(tx, 50, () -> giveUp(tx, Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT)));
        } else if (dice == 1) {
            // The token is handed out.
            later(tx, 20, () -> {
                tx.root.share();
                questions(tx, 2);
            });
        } else if (dice < 4) {
            questions(tx, 4);
        }
    }

    private void later(ClientTransaction tx, long millisMax, Runnable body) {
        world.after(world.random().nextLong(millisMax * MILLI), agent.process(), () -> "", () -> {
            if (!tx.isOver() && !tx.requested && !tx.rolling) {
                body.run();
            }
        });
    }

    /** T must not commit any more: its branches here are rolled back, whatever still runs in them. */
    static void giveUp(ClientTransaction tx, Reason reason) {
        tx.root.setRollbackOnly(reason);
        tx.root.takeInPlace().forEach(branch -> branch.rollBack(reason));
    }

    /** Commits T here, of which nobody else has heard; the scope is closed. */
    void commit(ClientTransaction tx, InPlaceBranch branch, Consumer<Outcome> ended) {
        world.saw("commit in place");
        world.note(() -> agent.process() + " commits " + tx.id + " in place");
        if (world.random().nextInt(3) == 0) {
            questions(tx, 1);
        }
        // As an event of its own: a stage would keep to itself what is thrown.
        var unused = branch.commit(world.random().nextBoolean())
                .thenAccept(end -> agent.process().after(0, () -> "", () -> {
                    world.saw("commit in place " + end.outcome());
                    world.note(() -> agent.process() + " hears " + end + " about " + tx.id);
                    ended.accept(end.outcome());
                }));
    }

    /**
     * Somebody else asks about T now and then, by its id alone or with what its Commit says.
     *
     * @param oneIn of how many of them one asks, before there is a Commit, with what it would say now
     */
    private void questions(ClientTransaction tx, int oneIn) {
        int count = 1 + world.random().nextInt(3);
        for (int i = 0; i < count; i++) {
            long nanos = world.random().nextLong((world.random().nextBoolean() ? 20 : 3_000) * MILLI);
            world.after(nanos, () -> "", () -> {
                CommitContent content = tx.content;
                List<BranchWork> listed = tx.root.list().branches();
                if (content == null && listed.size() == 1 && world.random().nextInt(oneIn) == 0) {
                    content = new CommitContent(listed, true);
                }
                boolean bare = content == null || world.random().nextInt(3) == 0;
                SimulatedClient other = run.clients.get(world.random().nextInt(run.clients.size()));
                other.onlooker().asks(tx.id, bare ? null : content);
            });
        }
    }
}
