package io.troth.core.participant;

import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import java.util.ArrayList;
import java.util.List;

/** The canonical byte form of an agent's state. */
final class AgentStateCodec {

    private static final int VERSION = 1;

    private AgentStateCodec() {}

    static byte[] encode(AgentStateMachine machine) {
        StateWriter out = new StateWriter();
        out.putByte(VERSION);
        out.putLong(machine.instance);
        out.putInt(machine.scans.size());
        machine.scans.forEach((resource, scans) -> {
            out.putText(resource);
            scans.write(out);
        });
        out.putLong(machine.branchCounter);
        out.putBoolean(machine.cluster != null);
        if (machine.cluster != null) {
            out.putLong(machine.cluster.value());
        }
        out.putEpoch(machine.highestEpoch);
        out.putLong(machine.highestBatch);
        out.putEpoch(machine.ready);
        out.putBoolean(machine.peerRefused);
        out.putBoolean(machine.draining);
        out.putReason(machine.stopped);
        out.putInt(machine.branches.size());
        machine.branches.values().forEach(branch -> branch.write(out));
        out.putInt(machine.transactions.size());
        machine.transactions.values().forEach(calls -> calls.write(out));
        machine.kept.write(out);
        return out.toByteArray();
    }

    static AgentStateMachine decode(byte[] bytes, AgentLimits limits) {
        StateReader in = new StateReader(bytes);
        if (in.byteValue() != VERSION) {
            throw new IllegalArgumentException("not an agent's state of version " + VERSION);
        }
        long instance = in.longValue();
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
        machine.branchCounter = in.longValue();
        machine.cluster = in.booleanValue() ? new ClusterId(in.longValue()) : null;
        machine.highestEpoch = in.epoch();
        machine.highestBatch = in.longValue();
        machine.ready = in.epoch();
        machine.peerRefused = in.booleanValue();
        machine.draining = in.booleanValue();
        machine.stopped = in.reason();
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
