package io.troth.core.participant;

import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.coordinator.StateReader;
import io.troth.core.coordinator.StateWriter;
import java.util.ArrayList;
import java.util.List;

/** The canonical byte form of an agent's state. */
final class AgentStateCodec {

    private static final int VERSION = 1;

    private AgentStateCodec() {}

    static byte[] encode(AgentStateMachine machine, boolean folded) {
        StateWriter out = new StateWriter(folded);
        out.octet(VERSION);
        out.int64(machine.instance);
        out.int32(machine.scans.size());
        machine.scans.forEach((resource, scans) -> {
            out.text(resource);
            scans.write(out);
        });
        out.int64(machine.branchCounter);
        out.bool(machine.cluster != null);
        if (machine.cluster != null) {
            out.int64(machine.cluster.value());
        }
        out.optional(machine.highestEpoch, out::epoch);
        out.int64(machine.highestBatch);
        out.optional(machine.ready, out::epoch);
        out.bool(machine.peerRefused);
        out.bool(machine.draining);
        out.optional(machine.stopped, out::reason);
        out.int32(machine.branches.size());
        machine.branches.values().forEach(branch -> branch.write(out, machine.scansStarted(branch.resource())));
        out.int32(machine.transactions.size());
        machine.transactions.values().forEach(calls -> calls.write(out));
        machine.kept.write(out);
        return out.toByteArray();
    }

    static AgentStateMachine decode(byte[] bytes, AgentLimits limits) {
        StateReader in = new StateReader(bytes);
        if (in.octet() != VERSION) {
            throw new IllegalArgumentException("not an agent's state of version " + VERSION);
        }
        long instance = in.int64();
        List<String> resources = new ArrayList<>();
        List<ResourceScans> scans = new ArrayList<>();
        for (int left = in.count(); left > 0; left--) {
            resources.add(in.text());
            scans.add(ResourceScans.read(in));
        }
        AgentStateMachine machine = new AgentStateMachine(instance, resources, limits);
        for (int i = 0; i < scans.size(); i++) {
            machine.scans.put(resources.get(i), scans.get(i));
        }
        machine.branchCounter = in.int64();
        machine.cluster = in.bool() ? new ClusterId(in.int64()) : null;
        machine.highestEpoch = in.optional(in::epoch);
        machine.highestBatch = in.int64();
        machine.ready = in.optional(in::epoch);
        machine.peerRefused = in.bool();
        machine.draining = in.bool();
        machine.stopped = in.optional(in::reason);
        for (int left = in.count(); left > 0; left--) {
            BranchStateMachine branch = BranchStateMachine.read(in);
            BranchId id = branch.branch();
            machine.branches.put(id, branch);
        }
        for (int left = in.count(); left > 0; left--) {
            BranchCalls calls = BranchCalls.read(in);
            machine.transactions.put(calls.tx(), calls);
        }
        machine.kept.read(in);
        in.end();
        return machine;
    }
}
