package io.troth.chaos.mutants;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.core.Outcome;
import java.lang.reflect.Field;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Goal: what is patched runs, and only there. Method: compiles, loads, and looks. */
class MutantClassesTest {

    private static final String FILE = "core/src/main/java/io/troth/core/coordinator/Waiter.java";
    private static final String MUTATED =
            "package io.troth.core.coordinator; record Waiter(RequestId request, boolean waitCompleted) { static int x; }";

    @Test
    void ourClassesAreLoadedAnewAndOthersAreNot() throws Exception {
        MutantClasses classes = MutantClasses.unchanged();
        Class<?> outcome = classes.loadClass(Outcome.class.getName());
        assertNotSame(Outcome.class, outcome);
        assertSame(classes, outcome.getClassLoader());
        assertSame(Test.class, classes.loadClass(Test.class.getName()));
    }

    @Test
    void thePatchedClassIsUsedByItsNeighbours() throws Exception {
        MutantClasses classes = MutantClasses.compile(Map.of(FILE, MUTATED));
        Class<?> waiter = classes.loadClass("io.troth.core.coordinator.Waiter");
        assertNotNull(waiter.getDeclaredField("x"));
        Field waiters =
                classes.loadClass("io.troth.core.coordinator.GlobalTransaction").getDeclaredField("waiters");
        assertTrue(waiters.getGenericType().getTypeName().contains("Waiter"));
        assertSame(classes, waiters.getDeclaringClass().getClassLoader());
    }

    @Test
    void whatDoesNotCompileIsRefusedWithTheCompilersWords() {
        String message = assertThrows(
                        IllegalStateException.class,
                        () -> MutantClasses.compile(Map.of(FILE, MUTATED.replace("int", "nt"))))
                .getMessage();
        assertTrue(message.contains("cannot find symbol"), message);
    }

    @Test
    void everyHeadNamesTheRuleThatTheBugBreaks() {
        for (SourcePatch patch : Mutants.all()) {
            assertTrue(patch.head("Rule").startsWith("protocol "), patch.name());
            assertNotNull(patch.head("Bug"), patch.name());
        }
    }
}
