javac -d . Main.java
java -Xmx256m Main
java -Xmx256m -Xint Main quick
