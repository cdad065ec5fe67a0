package io.troth.chaos.sim.database;

import io.troth.agent.xa.ResourceUnsuitableException;
import io.troth.agent.xa.TrothXid;
import io.troth.chaos.sim.check.BranchFacts;
import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.coordinator.Fate;
import io.troth.core.participant.OnePhaseCompletion;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import io.troth.core.participant.ScanCompletion;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One server and one agent process on it; every call waits until the virtual clock has brought its answer. */
final class Bench {

    static final ClusterId CLUSTER = new ClusterId(7);
    static final EpochId EPOCH = new EpochId(1, 5);
    private static final long ANSWER_MILLIS = 60_000;

    final TestWorld world;
    final SimulatedServer server;
    SimulatedBranchDatabase agent;
    final List<Proof> proofs = new ArrayList<>();
    int connectionsLost;
    private long branches;

    Bench(Flavour flavour, long seed) {
        world = new TestWorld(seed);
        server = new SimulatedServer("bank", flavour, new ServerSettings(6, 50_000, 0, true), world);
        agent = process();
    }

    /** Another agent process on the same server. */
    SimulatedBranchDatabase process() {
        SimulatedBranchDatabase process = new SimulatedBranchDatabase("bank", server, 4, world);
        process.clusterKnown(CLUSTER);
        process.onConnectionLost(() -> connectionsLost++);
        return process;
    }

    void selfTest() throws SQLException, ResourceUnsuitableException {
        agent.selfTest();
    }

    TrothXid branch() {
        branches++;
        return new TrothXid(CLUSTER, new GlobalTxId(0, EPOCH, 1, branches), new BranchId(1, branches));
    }

    /** A branch that has added to a row. */
    TrothXid wrote(String key) {
        TrothXid xid = branch();
        StatementResult result = execute(xid, SqlOperation.add(1, key, 5));
        if (result.failure() != null) {
            throw new AssertionError("the statement failed: " + result.failure());
        }
        return xid;
    }

    /** A branch that is prepared, and its proof. */
    Prepared prepared(String key) {
        TrothXid xid = wrote(key);
        PrepareResult result = prepare(xid);
        if (result.kind() != PrepareResult.Kind.PREPARED) {
            throw new AssertionError("not prepared: " + result);
        }
        return new Prepared(xid, result.proof());
    }

    record Prepared(TrothXid xid, @Nullable Proof proof) {}

    private <T> T await(Consumer<Consumer<T>> call) {
        List<T> answers = new ArrayList<>();
        call.accept(answers::add);
        world.runUntil(() -> !answers.isEmpty(), ANSWER_MILLIS);
        world.run(20);
        if (answers.size() != 1) {
            throw new AssertionError("a completion is delivered exactly once, was " + answers);
        }
        return answers.get(0);
    }

    StatementResult execute(TrothXid xid, SqlOperation operation) {
        List<StatementResult> answers = start(xid, operation);
        world.runUntil(() -> !answers.isEmpty(), 100);
        if (answers.size() != 1) {
            throw new AssertionError("no answer to the statement: " + answers);
        }
        return answers.get(0);
    }

    /** Begins a statement; its result will be in the list. */
    List<StatementResult> start(TrothXid xid, SqlOperation operation) {
        List<StatementResult> answers = new ArrayList<>();
        agent.execute(xid.tx(), xid.branch(), 55_000, operation, answers::add);
        return answers;
    }

    PrepareResult prepare(TrothXid xid) {
        return await(done -> agent.prepare(xid.tx(), xid.branch(), done));
    }

    OnePhaseCompletion commitOnePhase(TrothXid xid) {
        return await(done -> agent.commitOnePhase(xid.tx(), xid.branch(), proofs::add, done));
    }

    boolean rollback(TrothXid xid) {
        return await(done -> agent.rollback(xid.tx(), xid.branch(), done));
    }

    PhaseTwoCompletion commit(Prepared branch, boolean firstAttempt) {
        TrothXid xid = branch.xid();
        return await(done -> agent.commitPrepared(xid.tx(), xid.branch(), branch.proof(), firstAttempt, done));
    }

    PhaseTwoCompletion rollBack(Prepared branch) {
        return await(
                done -> agent.rollbackPrepared(branch.xid().tx(), branch.xid().branch(), null, done));
    }

    ScanCompletion list() {
        return await(agent::listPrepared);
    }

    Fate fate(Proof proof) {
        return await(done -> agent.fate(proof, done));
    }

    BranchFacts.State state(TrothXid xid) {
        return facts(xid).state();
    }

    /** Of the last transaction under the branch's name. */
    BranchFacts facts(TrothXid xid) {
        BranchFacts found = null;
        for (BranchFacts each : server.branches()) {
            if (each.branch().equals(xid.branch())) {
                found = each;
            }
        }
        return Objects.requireNonNull(found, "no such branch");
    }

    List<Long> row(String key) {
        return server.committedRows().getOrDefault(key, List.of());
    }
}
