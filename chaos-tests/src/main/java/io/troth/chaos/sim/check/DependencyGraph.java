package io.troth.chaos.sim.check;

import io.troth.core.GlobalTxId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Who must have come before whom, and why. */
final class DependencyGraph {

    private final TreeMap<GlobalTxId, TreeMap<GlobalTxId, String>> edges = new TreeMap<>();

    /** The first reason is kept. */
    void add(GlobalTxId from, GlobalTxId to, String why) {
        edges.computeIfAbsent(from, none -> new TreeMap<>()).putIfAbsent(to, why);
    }

    /** A cycle as short as any through its first transaction, as text; null when there is none. */
    @Nullable
    String cycle() {
        for (GlobalTxId start : inCycles()) {
            String found = shortestThrough(start);
            if (found != null) {
                return found;
            }
        }
        return null;
    }

    /** What is left when all that nothing leads to, or that leads nowhere, is taken away again and again. */
    private List<GlobalTxId> inCycles() {
        Map<GlobalTxId, Integer> incoming = new TreeMap<>();
        edges.forEach((from, targets) -> {
            incoming.putIfAbsent(from, 0);
            targets.keySet().forEach(to -> incoming.merge(to, 1, Integer::sum));
        });
        Deque<GlobalTxId> free = new ArrayDeque<>();
        incoming.forEach((tx, count) -> {
            if (count == 0) {
                free.add(tx);
            }
        });
        while (!free.isEmpty()) {
            GlobalTxId gone = free.remove();
            incoming.remove(gone);
            for (GlobalTxId to : edges.getOrDefault(gone, new TreeMap<>()).keySet()) {
                if (incoming.merge(to, -1, Integer::sum) == 0) {
                    free.add(to);
                }
            }
        }
        return new ArrayList<>(incoming.keySet());
    }

    private @Nullable String shortestThrough(GlobalTxId start) {
        Map<GlobalTxId, GlobalTxId> cameFrom = new TreeMap<>();
        Deque<GlobalTxId> open = new ArrayDeque<>(List.of(start));
        while (!open.isEmpty()) {
            GlobalTxId from = open.remove();
            for (GlobalTxId to : edges.getOrDefault(from, new TreeMap<>()).keySet()) {
                if (to.equals(start)) {
                    return text(start, from, cameFrom);
                }
                if (!cameFrom.containsKey(to)) {
                    cameFrom.put(to, from);
                    open.add(to);
                }
            }
        }
        return null;
    }

    private String text(GlobalTxId start, GlobalTxId last, Map<GlobalTxId, GlobalTxId> cameFrom) {
        List<GlobalTxId> way = new ArrayList<>(List.of(start));
        GlobalTxId at = last;
        while (at != null && !at.equals(start)) {
            way.add(1, at);
            at = cameFrom.get(at);
        }
        way.add(start);
        StringBuilder text = new StringBuilder(start.toString());
        for (int i = 1; i < way.size(); i++) {
            TreeMap<GlobalTxId, String> from = edges.getOrDefault(way.get(i - 1), new TreeMap<>());
            text.append(" -[").append(from.get(way.get(i))).append("]-> ").append(way.get(i));
        }
        return text.toString();
    }
}
