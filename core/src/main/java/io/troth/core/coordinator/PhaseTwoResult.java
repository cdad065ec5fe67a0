package io.troth.core.coordinator;

/** How phase 2 of a committed branch ended (protocol 9.3). Sent only when it is certain that nothing is prepared. */
public enum PhaseTwoResult {
    /** The database committed it for this agent, or its proof says committed. */
    COMMITTED,
    /** Not known, not in the list of prepared xids read afterwards, and without a proof: somebody finished it. */
    RESOLVED_ELSEWHERE,
    /** As before, and the proof says rolled back: a heuristic. */
    HEURISTIC_ROLLBACK
}
