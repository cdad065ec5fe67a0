package io.troth.core;

/** An agent's answer to prepare (protocol 7.1). */
public enum Vote {
    /** The branch is durably prepared and stays so until the decision is heard. */
    YES,
    /** The branch is rolled back, or will be: the transaction cannot commit. */
    NO,
    /** The branch wrote nothing and is finished; it takes no part in phase 2. */
    READ_ONLY
}
